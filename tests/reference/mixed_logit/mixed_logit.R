# Reference numbers for binary outcomes with random intercepts.
#
#     Rscript mixed_logit.R [output folder]
#
# writes the CSV fixtures and mixed_logit.json. Engines: lme4 (Laplace and adaptive quadrature),
# glmmTMB (Laplace, the observed curvature for every link), stats::glm, survival (data). Numbers are
# written with full precision. Debian: r-cran-lme4 r-cran-glmmtmb r-cran-survival r-cran-jsonlite
# r-cran-numderiv.
suppressPackageStartupMessages({
  library(jsonlite)
  library(lme4)
  library(glmmTMB)
  library(numDeriv)
  library(survival)
})
options(contrasts = c("contr.treatment", "contr.treatment"), digits = 15)
out_dir <- local({
  args <- commandArgs(trailingOnly = TRUE)
  if (length(args)) args[[1]] else "."
})
cases <- list()
add <- function(...) cases[[length(cases) + 1]] <<- list(...)

write_data <- function(frame, name) {
  path <- file.path(out_dir, name)
  write.csv(frame, path, row.names = FALSE, quote = FALSE)
  read.csv(path, stringsAsFactors = TRUE)
}

# ------------------------------------------------------------------------------------ engines
glmer_tight <- function(formula, data, link = "logit", points = 1) {
  # Restarted from its own end until the deviance no longer falls; lme4 stops early by itself.
  family <- binomial(link)
  control <- glmerControl(
    "bobyqa", calc.derivs = FALSE, tolPwrss = 1e-12,
    optCtrl = list(rhobeg = 1e-3, rhoend = 1e-9, maxfun = 1e5)
  )
  arguments <- list(formula = formula, data = data, family = family, nAGQ = points,
                    control = control)
  fit <- suppressWarnings(do.call(glmer, arguments))
  for (again in 1:4) {
    arguments$start <- list(theta = getME(fit, "theta"), fixef = fixef(fit))
    fit <- suppressWarnings(do.call(glmer, arguments))
  }
  fit
}

glmer_numbers <- function(fit, levels) {
  # Standard errors from numDeriv's Richardson differences of lme4's own deviance in (theta, beta).
  # Derivatives of a deviance that itself ends an iteration need a wide step.
  criterion <- update(fit, devFunOnly = TRUE)
  at <- c(getME(fit, "theta"), fixef(fit))
  curvature <- hessian(criterion, at, method.args = list(eps = 1e-3, d = 0.01, r = 4))
  covariance <- 2 * solve(curvature)
  fixed <- -seq_along(getME(fit, "theta"))
  deviations <- sapply(names(levels), function(g) attr(VarCorr(fit)[[g]], "stddev")[[1]])
  list(
    engine = paste("lme4", packageVersion("lme4")),
    log_likelihood = as.numeric(logLik(fit)),
    aic = AIC(fit),
    terms = I(names(fixef(fit))),
    estimates = I(unname(fixef(fit))),
    standard_errors = I(unname(sqrt(diag(covariance)[fixed]))),
    standard_deviations = as.list(setNames(unname(deviations), unlist(levels)))
  )
}

tmb_tight <- function(formula, data, link = "logit") {
  control <- glmmTMBControl(optCtrl = list(iter.max = 1e4, eval.max = 1e4, rel.tol = 1e-15,
                                           x.tol = 1e-12))
  suppressWarnings(glmmTMB(formula, data, family = binomial(link), control = control))
}

tmb_numbers <- function(fit, levels) {
  # nlminb stops short of the last digits: Newton steps with TMB's own gradient finish the job, and
  # its Jacobian by Richardson extrapolation gives the standard errors.
  at <- fit$fit$par
  for (again in 1:3) {
    curvature <- jacobian(fit$obj$gr, at)
    at <- at - drop(solve(curvature, drop(fit$obj$gr(at))))
  }
  beta <- names(fit$fit$par) == "beta"
  errors <- sqrt(diag(solve(jacobian(fit$obj$gr, at))))
  value <- -as.numeric(fit$obj$fn(at))
  list(
    engine = paste("glmmTMB", packageVersion("glmmTMB")),
    log_likelihood = value,
    aic = -2 * value + 2 * length(at),
    terms = I(names(fixef(fit)$cond)),
    estimates = I(unname(at[beta])),
    standard_errors = I(unname(errors[beta])),
    standard_deviations = as.list(setNames(exp(unname(at[!beta])), unlist(levels)))
  )
}

question <- function(case, data, outcome, fixed, levels, link = "logit", quadrature = 1) {
  list(case = case, data = data, outcome = outcome, fixed = I(fixed), levels = I(levels),
       link = link, quadrature = quadrature)
}
ask <- function(numbers, ...) cases[[length(cases) + 1]] <<- c(question(...), numbers)

modes <- function(fit, group) {
  effects <- ranef(fit, condVar = TRUE)[[group]]
  list(level = group, groups = I(rownames(effects)), modes = I(effects[[1]]),
       sds = I(sqrt(as.numeric(attr(effects, "postVar")))))
}

# --------------------------------------------------------------------------------------- cbpp
# lme4::cbpp, one row per animal: the likelihood of single animals is that of the counts without
# the binomial coefficients, whose logarithm is written out beside it.
animals <- do.call(rbind, lapply(seq_len(nrow(cbpp)), function(k) {
  data.frame(herd = cbpp$herd[k], period = cbpp$period[k],
             sick = rep(1:0, c(cbpp$incidence[k], cbpp$size[k] - cbpp$incidence[k])))
}))
animals$period <- paste0("p", animals$period)
animals <- write_data(animals, "cbpp.csv")
animals$herd <- factor(animals$herd)
constant <- sum(lchoose(cbpp$size, cbpp$incidence))
counts <- glmer_tight(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp)
fixed <- c("1", "period")
herd <- list(herd = "herd")
for (points in c(1, 2, 5, 9, 25)) {
  fit <- glmer_tight(sick ~ period + (1 | herd), animals, points = points)
  ask(c(glmer_numbers(fit, herd), list(
    log_binomial_coefficients = constant,
    log_likelihood_of_counts = if (points == 1) as.numeric(logLik(counts)) else NULL,
    effects = modes(fit, "herd"),
    fitted = I(unname(predict(fit, type = "response"))),
    fitted_average_group = I(unname(predict(fit, type = "response", re.form = NA)))
  )), paste0("cbpp, ", points, " point", if (points > 1) "s"), "cbpp.csv", "sick", fixed, "herd",
  quadrature = points)
}
ask(tmb_numbers(tmb_tight(sick ~ period + (1 | herd), animals), herd),
    "cbpp, glmmTMB", "cbpp.csv", "sick", fixed, "herd")
ask(tmb_numbers(tmb_tight(sick ~ period + (1 | herd), animals, "cloglog"), herd),
    "cbpp, cloglog, glmmTMB", "cbpp.csv", "sick", fixed, "herd", "cloglog")
# With many points the rule is exact, so that lme4's expected curvature does not matter.
ask(glmer_numbers(glmer_tight(sick ~ period + (1 | herd), animals, "cloglog", 25), herd),
    "cbpp, cloglog, 25 points", "cbpp.csv", "sick", fixed, "herd", "cloglog", 25)

# --------------------------------------------------------------------------------------- lung
# Discrete time: 100-day intervals, the ninth and later ones pooled into the eighth.
people <- subset(lung, !is.na(ph.ecog))
people <- people[!is.na(people$inst), ]
expand <- function(people) {
  do.call(rbind, lapply(seq_len(nrow(people)), function(k) {
    n <- ceiling(people$time[k] / 100)
    data.frame(person = k, inst = people$inst[k], interval = paste0("i", pmin(seq_len(n), 8)),
               age = people$age[k], sex = people$sex[k], ecog = people$ph.ecog[k],
               event = as.integer(seq_len(n) == n & people$status[k] == 2))
  }))
}
periods <- write_data(expand(people), "lung.csv")
stopifnot(nrow(people) == 226, nrow(periods) == 805, sum(periods$event) == 163)
fixed <- c("1", "interval", "age", "sex", "ecog")
for (link in c("logit", "cloglog")) {
  fit <- glm(event ~ interval + age + sex + ecog, binomial(link), periods,
             control = glm.control(epsilon = 1e-14, maxit = 100))
  # glm reports Fisher's expected information; the observed one is the Hessian of -log L
  x <- model.matrix(fit)
  minus <- function(b) {
    p <- binomial(link)$linkinv(drop(x %*% b))
    -sum(log(ifelse(periods$event == 1, p, 1 - p)))
  }
  ask(list(engine = "stats::glm", log_likelihood = as.numeric(logLik(fit)), aic = AIC(fit),
           terms = I(names(coef(fit))), estimates = I(unname(coef(fit))),
           standard_errors = I(unname(sqrt(diag(solve(hessian(minus, coef(fit)))))))),
      paste("lung,", link), "lung.csv", "event", fixed, character(), link)
}
inst <- list(inst = "inst")
for (link in c("logit", "cloglog")) {
  ask(tmb_numbers(tmb_tight(event ~ interval + age + sex + ecog + (1 | inst), periods, link), inst),
      paste0("lung, institutions, ", link), "lung.csv", "event", fixed, "inst", link)
}

# ------------------------------------------------------------------------------------- nested
# Simulated: dropout after a session; therapist numbers start anew at each site.
simulate <- function(seed, sites, therapists, clients, sessions) {
  set.seed(seed)
  rows <- list()
  for (s in seq_len(sites)) {
    of_site <- rnorm(1, sd = 0.5)
    for (j in seq_len(sample(therapists, 1))) {
      of_therapist <- rnorm(1, sd = 0.7)
      for (i in seq_len(sample(clients, 1))) {
        mean_alliance <- rnorm(1, sd = 0.7)
        treatment <- sample(c("cbt", "pdt", "sys"), 1)
        for (t in seq_len(sessions)) {
          alliance <- round(rnorm(1, sd = 0.6), 3)
          eta <- -1.6 - 0.3 * log(t) - 0.5 * alliance - 0.3 * mean_alliance + of_site +
            of_therapist + c(cbt = 0, pdt = 0.3, sys = -0.2)[[treatment]]
          event <- runif(1) < plogis(eta)
          rows[[length(rows) + 1]] <- data.frame(
            site = s, therapist = j, client = i, session = t, log_session = log(t),
            alliance_within = alliance, alliance_mean = round(mean_alliance, 3),
            treatment = treatment, dropout = as.integer(event)
          )
          if (event) break
        }
      }
    }
  }
  do.call(rbind, rows)
}
hazard <- write_data(simulate(7, 12, 4:8, 5:9, 8), "hazard.csv")
hazard$s <- factor(hazard$site)
hazard$th <- interaction(hazard$site, hazard$therapist, drop = TRUE)
fixed <- c("1", "log_session", "alliance_within", "alliance_mean", "treatment")
part <- dropout ~ log_session + alliance_within + alliance_mean + treatment
nested <- list(s = "site", th = "therapist")
deep <- update(part, . ~ . + (1 | s) + (1 | th))
fit <- glmer_tight(deep, hazard)
ask(c(glmer_numbers(fit, nested), list(
  effects = modes(fit, "th"), effects_outer = modes(fit, "s"),
  fitted = I(unname(predict(fit, type = "response")))
)), "nested, lme4", "hazard.csv", "dropout", fixed, c("site", "therapist"))
fit <- tmb_tight(deep, hazard)
ask(tmb_numbers(fit, nested), "nested, glmmTMB", "hazard.csv", "dropout", fixed,
    c("site", "therapist"))
ask(tmb_numbers(tmb_tight(deep, hazard, "cloglog"), nested), "nested, cloglog, glmmTMB",
    "hazard.csv", "dropout", fixed, c("site", "therapist"), "cloglog")
hazard$cl <- interaction(hazard$site, hazard$therapist, hazard$client, drop = TRUE)

# Three levels: an answer (yes or no) to each of several items by each client.
set.seed(11)
answers <- do.call(rbind, lapply(1:8, function(s) {
  of_site <- rnorm(1, sd = 0.6)
  do.call(rbind, lapply(1:6, function(j) {
    of_therapist <- rnorm(1, sd = 0.5)
    do.call(rbind, lapply(1:6, function(i) {
      of_client <- rnorm(1, sd = 1)
      x <- round(rnorm(7), 3)
      data.frame(site = s, therapist = j, client = i, x = x, agreed = as.integer(
        runif(7) < plogis(0.3 + 0.6 * x + of_site + of_therapist + of_client)))
    }))
  }))
}))
answers <- write_data(answers, "answers.csv")
answers$s <- factor(answers$site)
answers$th <- interaction(answers$site, answers$therapist, drop = TRUE)
answers$cl <- interaction(answers$site, answers$therapist, answers$client, drop = TRUE)
three <- list(s = "site", th = "therapist", cl = "client")
ask(tmb_numbers(tmb_tight(agreed ~ x + (1 | s) + (1 | th) + (1 | cl), answers), three),
    "three levels, glmmTMB", "answers.csv", "agreed", c("1", "x"), c("site", "therapist", "client"))
ask(glmer_numbers(glmer_tight(agreed ~ x + (1 | s) + (1 | th) + (1 | cl), answers), three),
    "three levels, lme4", "answers.csv", "agreed", c("1", "x"), c("site", "therapist", "client"))
ask(glmer_numbers(glmer_tight(agreed ~ x + (1 | cl), answers, points = 15), list(cl = "client")),
    "answers by client, 15 points", "answers_by_client.csv", "agreed", c("1", "x"), "client",
    quadrature = 15)
answers$client <- as.integer(answers$cl)
invisible(write_data(answers[c("client", "x", "agreed")], "answers_by_client.csv"))

# -------------------------------------------------------------------- average marginal effects
# Written out here from the parameters of glmmTMB and its joint covariance of (beta, log sd):
# integrals over the normal distribution by integrate(), derivatives in the parameters by numDeriv.
effects_of <- function(link, average_over) {
  fit <- tmb_tight(update(part, . ~ . + (1 | th)), hazard, link)
  x <- model.matrix(part, hazard)
  beta <- fixef(fit)$cond
  log_sd <- log(attr(VarCorr(fit)$cond$th, "stddev")[[1]])
  inverse <- binomial(link)$linkinv
  density <- binomial(link)$mu.eta
  nodes <- gauss_hermite(81)
  integrated <- function(f, eta, sd) {
    if (average_over == "average group") return(f(eta))
    rowSums(sapply(seq_along(nodes$x), function(k) nodes$w[k] * f(eta + sd * nodes$x[k])))
  }
  all_effects <- function(parameters) {
    b <- parameters[-length(parameters)]
    sd <- exp(parameters[length(parameters)])
    eta <- drop(x %*% b)
    slope <- mean(integrated(density, eta, sd))
    session <- mean(integrated(density, eta, sd) / hazard$session)
    change <- function(name) {
      base <- eta - drop(x[, c("treatmentpdt", "treatmentsys")] %*%
                           b[c("treatmentpdt", "treatmentsys")])
      mean(integrated(inverse, base + b[[name]], sd) - integrated(inverse, base, sd))
    }
    names(b) <- names(beta)
    c(alliance_within = slope * b[["alliance_within"]],
      alliance_mean = slope * b[["alliance_mean"]],
      session = session * b[["log_session"]],
      pdt = change("treatmentpdt"), sys = change("treatmentsys"))
  }
  all_effects <- local({
    inner <- all_effects
    function(parameters) inner(setNames(parameters, c(names(beta), "log_sd")))
  })
  at <- c(beta, log_sd)
  slopes <- jacobian(all_effects, at)
  covariance <- vcov(fit, full = TRUE)
  list(case = paste("marginal effects,", link, "-", average_over), link = link,
       average_over = average_over, names = I(names(all_effects(at))),
       effects = I(unname(all_effects(at))),
       standard_errors = I(sqrt(diag(slopes %*% covariance %*% t(slopes)))))
}
gauss_hermite <- function(n) {
  # Golub & Welsch (1969) for the standard normal density
  k <- sqrt(seq_len(n - 1))
  jacobi <- matrix(0, n, n)
  jacobi[cbind(1:(n - 1), 2:n)] <- k
  jacobi[cbind(2:n, 1:(n - 1))] <- k
  e <- eigen(jacobi, symmetric = TRUE)
  list(x = e$values, w = e$vectors[1, ]^2)
}
marginal <- list()
for (link in c("logit", "cloglog")) for (over in c("population", "average group")) {
  marginal[[length(marginal) + 1]] <- effects_of(link, over)
}

body <- list(
  made_by = "mixed_logit.R",
  r = paste(R.version$major, R.version$minor, sep = "."),
  packages = lapply(setNames(nm = c("lme4", "glmmTMB", "survival", "numDeriv")),
                    function(p) as.character(packageVersion(p))),
  cases = cases,
  marginal_effects = marginal
)
writeLines(toJSON(body, digits = NA, auto_unbox = TRUE, null = "null", na = "null", pretty = 1),
           file.path(out_dir, "mixed_logit.json"))
