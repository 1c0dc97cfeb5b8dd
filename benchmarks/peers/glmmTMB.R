# glmmTMB, REML.
source("measure.R")
suppressPackageStartupMessages(library(glmmTMB))
model <- function() {
  fit <- suppressWarnings(glmmTMB(y ~ t + x + (1 | therapist) + (t | client), data, REML = TRUE,
                                  control = glmmTMBControl(parallel = 1)))
  list(fit = fit, errors = sqrt(diag(vcov(fit)$cond)))
}
run <- timed(model)
report(run$numbers, version = as.character(packageVersion("glmmTMB")),
       log_likelihood = as.numeric(logLik(run$result$fit)),
       estimates = I(unname(fixef(run$result$fit)$cond)),
       standard_errors = I(unname(run$result$errors)),
       converged = run$result$fit$fit$convergence == 0)
