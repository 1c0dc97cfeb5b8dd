# nlme: the core model; (task "ar1") with corAR1, which uses the actual lag where there are gaps;
# (task "several") two outcomes stacked, residual covariance by varIdent and corSymm.
source("measure.R")
suppressPackageStartupMessages(library(nlme))
control <- lmeControl(maxIter = 200, msMaxIter = 200)
model <- function() {
  correlation <- if (task == "ar1") corAR1(form = ~ session | therapist / client) else NULL
  fit <- lme(y ~ t + x, random = list(therapist = ~ 1, client = ~ t), data = data,
             correlation = correlation, method = "REML", control = control)
  list(fit = fit, errors = sqrt(diag(vcov(fit))))
}
if (task == "several") {
  data <- stacked()
  model <- function() {
    fit <- lme(value ~ 0 + a + a:t + s + s:t, random = list(client = ~ 0 + a + a:t + s + s:t),
               data = data, correlation = corSymm(form = ~ which | client / row),
               weights = varIdent(form = ~ 1 | which), method = "REML", control = control)
    list(fit = fit, errors = sqrt(diag(vcov(fit))))
  }
}
run <- timed(model)
correlation <- run$result$fit$modelStruct$corStruct
report(run$numbers, version = as.character(packageVersion("nlme")),
       log_likelihood = as.numeric(logLik(run$result$fit)),
       estimates = I(unname(fixef(run$result$fit))), standard_errors = I(unname(run$result$errors)),
       phi = if (task != "ar1") NULL else coef(correlation, unconstrained = FALSE)[[1]],
       converged = TRUE)
