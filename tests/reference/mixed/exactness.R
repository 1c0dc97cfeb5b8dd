# 300 simulated sets of many shapes, more than half with variances at or near zero, each with the
# best log-likelihood that lme4 finds with several optimisers and starts.
#
# Writes exactness.csv.gz (all sets stacked, values rounded before fitting) and exactness.json.
source("common.R")

structures <- list(
  list(name = "client_intercept", random = list(client = "1"), bars = "(1 | cl)"),
  list(name = "client_slope", random = list(client = c("1", "t")), bars = "(t | cl)"),
  list(name = "therapist_intercept_client_slope",
       random = list(therapist = "1", client = c("1", "t")), bars = "(1 | th) + (t | cl)"),
  list(name = "both_slopes", random = list(therapist = c("1", "t"), client = c("1", "t")),
       bars = "(t | th) + (t | cl)"),
  list(name = "three_intercepts", random = list(site = "1", therapist = "1", client = "1"),
       bars = "(1 | s) + (1 | th) + (1 | cl)"),
  list(name = "four_levels", random = list(site = "1", therapist = "1", client = c("1", "t")),
       bars = "(1 | s) + (1 | th) + (t | cl)")
)

simulate_set <- function(k) {
  set.seed(7000 + k)
  sites <- sample(2:4, 1)
  therapists <- sample(2:5, 1)
  clients <- 2:6
  sessions <- 2:8
  # Zero variances are drawn often: a fit at the boundary is the hard case.
  spread <- function(largest) if (runif(1) < 0.5) 0 else runif(1, 0.05, largest)
  sd_site <- spread(1)
  sd_therapist <- spread(1)
  sd_therapist_slope <- spread(0.3)
  sd_client <- spread(1.5)
  sd_client_slope <- spread(0.4)
  r <- sample(c(-1, -0.5, 0, 0.5, 1), 1)
  rows <- list()
  for (s in seq_len(sites)) {
    site_effect <- rnorm(1, sd = sd_site)
    for (j in seq_len(therapists)) {
      therapist_effect <- rnorm(2) * c(sd_therapist, sd_therapist_slope)
      for (i in seq_len(sample(clients, 1))) {
        first <- rnorm(1)
        client_effect <- c(sd_client * first,
                           sd_client_slope * (r * first + sqrt(1 - r^2) * rnorm(1)))
        n <- sample(sessions, 1)
        t <- sort(sample(0:11, n))
        x <- round(rnorm(n), 2)
        y <- 5 - 0.3 * t + 0.5 * x + site_effect + therapist_effect[1] + client_effect[1] +
          (therapist_effect[2] + client_effect[2]) * t + rnorm(n)
        rows[[length(rows) + 1]] <- data.frame(set = k, site = s, therapist = j, client = i, t = t,
                                               x = x, y = round(y, 2))
      }
    }
  }
  do.call(rbind, rows)
}

nest <- function(data) {
  data$s <- factor(data$site)
  data$th <- interaction(data$site, data$therapist, drop = TRUE)
  data$cl <- interaction(data$site, data$therapist, data$client, drop = TRUE)
  data
}

optimisers <- list(
  lmerControl("bobyqa", calc.derivs = FALSE, optCtrl = list(rhoend = 1e-9, maxfun = 5e4)),
  lmerControl("nlminbwrap", calc.derivs = FALSE,
              optCtrl = list(rel.tol = 1e-14, x.tol = 1e-10, iter.max = 5e3, eval.max = 5e3)),
  lmerControl("nloptwrap", calc.derivs = FALSE,
              optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-10, xtol_rel = 1e-10,
                             ftol_abs = 1e-11, ftol_rel = 1e-14, maxeval = 5e4))
)

best_fit <- function(formula, data, reml, random) {
  # The usual start (identity factors), one near zero and one far out.
  unit <- unlist(lapply(rev(random), function(terms) if (length(terms) == 1) 1 else c(1, 0, 1)))
  n_theta <- length(unit)
  best <- NULL
  ends <- c()
  for (control in optimisers) {
    for (start in list(NULL, 0.05 * unit, 2 * unit)) {
      fit <- suppressMessages(suppressWarnings(tryCatch(
        lmer(formula, data, REML = reml, control = control, start = start),
        error = function(e) NULL
      )))
      if (is.null(fit)) next
      stopifnot(length(getME(fit, "theta")) == n_theta)
      ends <- c(ends, as.numeric(logLik(fit)))
      if (is.null(best) || logLik(fit) > logLik(best)) best <- fit
    }
  }
  # One last polish from the best end with each optimiser.
  # (bobyqa cannot start where all factors are exactly zero.)
  for (control in optimisers) {
    fit <- suppressMessages(suppressWarnings(tryCatch(
      lmer(formula, data, REML = reml, control = control, start = getME(best, "theta")),
      error = function(e) NULL
    )))
    if (!is.null(fit) && logLik(fit) > logLik(best)) best <- fit
  }
  list(fit = best, default = ends[1], worst = min(ends))
}

sets <- lapply(1:300, simulate_set)
stacked <- do.call(rbind, sets)
connection <- gzfile(file.path(out_dir, "exactness.csv.gz"), "wb", compression = 9)
write.csv(stacked, connection, row.names = FALSE, quote = FALSE)
close(connection)

cases <- lapply(1:300, function(k) {
  data <- nest(sets[[k]])
  structure <- structures[[(k - 1) %% length(structures) + 1]]
  reml <- k %% 4 != 0
  found <- best_fit(as.formula(paste("y ~ t + x +", structure$bars)), data, reml, structure$random)
  c(
    question(k, "exactness.csv.gz", "y", c("1", "t", "x"), structure$random,
             method = if (reml) "REML" else "ML"),
    list(structure = structure$name, rows = nrow(data),
         log_likelihood = as.numeric(logLik(found$fit)),
         lme4_bobyqa_default_start = found$default, lme4_worst = found$worst,
         singular = isSingular(found$fit, tol = 1e-3))
  )
})
write_cases(cases, "exactness", pretty = FALSE)
