# pbkrtest: adjusted covariance and degrees of freedom of each coefficient; the lme4 fit before it
# is not counted.
source("measure.R")
suppressPackageStartupMessages({
  library(lme4)
  library(pbkrtest)
})
seconds_of_fit <- system.time(
  fit <- suppressWarnings(lmer(y ~ t + x + (1 | therapist) + (t | client), data, REML = TRUE,
                               control = lmerControl("bobyqa", optCtrl = list(rhoend = 1e-9))))
)[["user.self"]]
kenward_roger <- function() {
  adjusted <- vcovAdj(fit)
  list(errors = sqrt(diag(as.matrix(adjusted))), df = sapply(1:3, function(k) {
    contrast <- rep(0, 3)
    contrast[k] <- 1
    Lb_ddf(contrast, vcov(fit), adjusted)
  }))
}
run <- timed(kenward_roger)
report(run$numbers, seconds_with_fit = run$numbers$processor_seconds + seconds_of_fit, version = as.character(packageVersion("pbkrtest")),
       log_likelihood = as.numeric(logLik(fit)), estimates = I(unname(fixef(fit))),
       standard_errors = I(unname(run$result$errors)), df = I(run$result$df), converged = TRUE)
