# lme4: the core model; (task "bootstrap") the time of a few parametric bootstrap refits; (task
# "several") the nearest model of two outcomes: one residual variance, no residual covariance.
source("measure.R")
suppressPackageStartupMessages(library(lme4))
model <- function() {
  fit <- suppressWarnings(lmer(y ~ t + x + (1 | therapist) + (t | client), data, REML = TRUE))
  list(fit = fit, errors = sqrt(diag(as.matrix(vcov(fit)))))
}
if (task == "several") {
  data <- stacked()
  model <- function() {
    fit <- suppressWarnings(
      lmer(value ~ 0 + a + a:t + s + s:t + (0 + a + a:t + s + s:t | client), data, REML = TRUE)
    )
    list(fit = fit, errors = sqrt(diag(as.matrix(vcov(fit)))))
  }
}
if (task == "bootstrap") {
  base <- model()$fit
  set.seed(1)
  draws <- simulate(base, 4)
  run <- system.time(for (draw in draws) suppressWarnings(refit(base, draw)))
  report(list(seconds = run[["elapsed"]] * 250, runs = 4,
              processor_seconds = (run[["user.self"]] + run[["sys.self"]]) * 250), version = as.character(packageVersion("lme4")),
         note = "extrapolated from 4 refits")
} else {
  run <- timed(model)
  nearest <- task == "several"
  report(run$numbers, version = as.character(packageVersion("lme4")),
         log_likelihood = if (nearest) NULL else as.numeric(logLik(run$result$fit)),
         note = if (nearest) "nearest model: one residual variance, no residual covariance" else NULL,
         estimates = I(unname(fixef(run$result$fit))), standard_errors = I(unname(run$result$errors)),
         converged = length(run$result$fit@optinfo$conv$lme4$messages) == 0)
}
