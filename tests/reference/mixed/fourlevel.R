# Simulated sessions in clients in therapists in sites (ids repeat across parents), unbalanced.
# Client and therapist slopes; then serial correlation with missing sessions, a negative serial
# correlation, residual variances by group, Kenward-Roger, Satterthwaite and CR2.
source("common.R")
suppressPackageStartupMessages({
  library(lmerTest)
  library(pbkrtest)
  library(clubSandwich)
})
lmer <- lme4::lmer
cases <- list()
add <- function(...) cases[[length(cases) + 1]] <<- c(...)

draw <- function(n, covariance) {
  matrix(rnorm(n * nrow(covariance)), n) %*% chol(covariance)
}
serial_noise <- function(n, phi) {
  noise <- rnorm(1)
  for (k in seq_len(n)[-1]) noise[k] <- phi * noise[k - 1] + sqrt(1 - phi^2) * rnorm(1)
  noise
}
simulate_cohort <- function(seed, sites, therapists, clients, sessions, phi, keep) {
  set.seed(seed)
  rows <- list()
  site_effect <- rnorm(sites, sd = 0.8)
  for (s in seq_len(sites)) {
    therapist_effect <- draw(therapists, matrix(c(0.5, -0.02, -0.02, 0.01), 2))
    for (j in seq_len(therapists)) {
      n_clients <- sample(clients, 1)
      client_effect <- draw(n_clients, matrix(c(1.6, -0.08, -0.08, 0.03), 2))
      for (i in seq_len(n_clients)) {
        n <- sample(sessions, 1)
        t <- seq_len(n) - 1
        severity <- rnorm(1)
        alliance <- rnorm(1, sd = 0.5) + rnorm(n)
        group <- sample(c("cbt", "pdt", "sys"), 1)
        sd_error <- c(cbt = 0.7, pdt = 1, sys = 1.3)[[group]]
        y <- 10 - 0.25 * t + 0.6 * severity - 0.4 * alliance + 0.05 * t * severity +
          site_effect[s] + therapist_effect[j, 1] + therapist_effect[j, 2] * t +
          client_effect[i, 1] + client_effect[i, 2] * t + sd_error * serial_noise(n, phi)
        here <- data.frame(
          site = s, therapist = j, client = i, session = t + 1, t = t,
          weeks = round(t * 1.1 + runif(n, 0, 0.9), 2), severity = round(severity, 3),
          alliance = round(alliance, 3), modality = group, y = round(y, 4)
        )
        rows[[length(rows) + 1]] <- here[sort(sample(n, max(2, round(keep * n)))), ]
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
inference <- function(fit) {
  adjusted <- vcovAdj(fit)
  p <- length(fixef(fit))
  list(
    satterthwaite_df =
      I(unname(coef(summary(as_lmerModLmerTest(fit), ddf = "Satterthwaite"))[, "df"])),
    kenward_roger = list(
      df = I(sapply(seq_len(p), function(k) {
        contrast <- rep(0, p)
        contrast[k] <- 1
        Lb_ddf(contrast, vcov(fit), adjusted)
      })),
      standard_errors = I(unname(sqrt(diag(as.matrix(adjusted)))))
    )
  )
}
joint_f <- function(fit, contrast) {
  test <- KRmodcomp(fit, contrast)$stats
  satterthwaite <- contestMD(as_lmerModLmerTest(fit), contrast)
  list(f_test = list(
    contrast = lapply(seq_len(nrow(contrast)), function(k) I(contrast[k, ])),
    f = test$Fstat, ndf = test$ndf, ddf = test$ddf, scaling = test$F.scaling, p = test$p.value,
    satterthwaite_f = satterthwaite[["F value"]], satterthwaite_ddf = satterthwaite[["DenDF"]]
  ))
}
robust <- function(fit, level) {
  test <- coef_test(fit, vcov = vcovCR(fit, type = "CR2"), test = "Satterthwaite")
  list(cr2 = list(level = level, standard_errors = I(test$SE), df = I(test$df_Satt)))
}
fixed <- c("1", "t", "severity", "alliance", "t:severity")
four <- list(site = "1", "site:therapist" = c("1", "t"), "site:therapist:client" = c("1", "t"))
group4 <- c(s = "site", th = "site:therapist", cl = "site:therapist:client")
group3 <- c(th = "therapist_unique", cl = "therapist_unique:client")

# ---- four levels, independent residuals
cohort <- simulate_cohort(11, 5, 6, 4:9, 4:9, 0, 1)
cohort$clinic <- paste0("clinic", cohort$site)
cohort$therapist_unique <- paste0(cohort$site, "x", cohort$therapist)
cohort <- nest(write_data(cohort, "fourlevel.csv"))
model4 <- y ~ t + severity + alliance + t:severity + (1 | s) + (t | th) + (t | cl)
for (method in c("REML", "ML")) {
  fit <- lmer_tight(model4, cohort, method == "REML")
  stopifnot(!isSingular(fit, tol = 1e-3))
  add(question(paste0("fourlevel_", tolower(method)), "fourlevel.csv", "y", fixed, four,
               method = method),
      lmer_numbers(fit, group4),
      if (method == "REML") c(inference(fit),
                              joint_f(fit, rbind(c(0, 0, 1, 0, 0), c(0, 0, 0, 0, 1))),
                              robust(fit, "site")))
}
# Three levels of the same data, sites as fixed effects (a column of words)
fit <- lmer_tight(y ~ t + alliance + clinic + (1 | th) + (t | cl), cohort)
add(question("threelevel_reml_sites_fixed", "fourlevel.csv", "y",
             c("1", "t", "alliance", "clinic"),
             # therapist ids repeat across sites: without a site level they must be made unique
             list(therapist_unique = "1", "therapist_unique:client" = c("1", "t"))),
    lmer_numbers(fit, group3), inference(fit), robust(fit, "therapist_unique"))
# A slope without its intercept, and a random effect of a predictor that is not time
fit <- lmer_tight(y ~ t + alliance + (0 + t | th) + (alliance | cl), cohort)
add(question("threelevel_reml_slope_only", "fourlevel.csv", "y", c("1", "t", "alliance"),
             list(therapist_unique = "t", "therapist_unique:client" = c("1", "alliance"))),
    lmer_numbers(fit, group3))
# Three correlated effects of a client
fit <- lmer_tight(y ~ t + alliance + (1 | th) + (t + alliance | cl), cohort, FALSE)
add(question("threelevel_ml_three_effects", "fourlevel.csv", "y", c("1", "t", "alliance"),
             list(therapist_unique = "1", "therapist_unique:client" = c("1", "t", "alliance")), method = "ML"),
    lmer_numbers(fit, group3))

# ---- serial correlation with missing sessions
gaps <- nest(write_data(simulate_cohort(12, 4, 5, 4:8, 6:12, 0.5, 0.75), "fourlevel_gaps.csv"))
four_levels <- list(site = "1", "site:therapist" = "1", "site:therapist:client" = c("1", "t"))
nested <- list(s = ~ 1, th = ~ 1, cl = ~ t)
serial <- function(case, structure, residual, residual_time, method, by = NULL, data = gaps,
                   file = "fourlevel_gaps.csv") {
  weights <- if (is.null(by)) NULL else varIdent(form = ~ 1 | modality)
  fit <- lme_tight(y ~ t + severity + alliance, nested, data, method, structure, weights)
  add(question(case, file, "y", c("1", "t", "severity", "alliance"),
               four_levels, residual = residual,
               residual_time = residual_time, residual_by = by, method = method),
      lme_numbers(fit, names(four_levels)))
}
lag <- corAR1(0.3, form = ~ session | s / th / cl)
days <- corCAR1(0.3, form = ~ weeks | s / th / cl)
serial("fourlevel_gaps_reml_ar1", lag, "ar1", "session", "REML")
serial("fourlevel_gaps_ml_ar1", lag, "ar1", "session", "ML")
serial("fourlevel_gaps_reml_car1", days, "car1", "weeks", "REML")
serial("fourlevel_gaps_reml_ar1_by_modality", lag, "ar1", "session", "REML", "modality")
serial("fourlevel_gaps_reml_by_modality", NULL, "iid", NULL, "REML", "modality")

# ---- a negative serial correlation (sessions that overshoot): integer lags only
negative <- nest(write_data(simulate_cohort(13, 4, 5, 3:6, 6:10, -0.4, 0.8),
                            "fourlevel_negative.csv"))
serial("fourlevel_negative_reml_ar1", lag, "ar1", "session", "REML", data = negative,
       file = "fourlevel_negative.csv")

write_cases(cases, "fourlevel")
