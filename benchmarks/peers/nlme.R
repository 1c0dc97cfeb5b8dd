# nlme: the core model, or (task "ar1") with corAR1, which uses the actual lag where there are gaps.
source("measure.R")
suppressPackageStartupMessages(library(nlme))
model <- function() {
  correlation <- if (task == "ar1") corAR1(form = ~ session | therapist / client) else NULL
  fit <- lme(y ~ t + x, random = list(therapist = ~ 1, client = ~ t), data = data,
             correlation = correlation, method = "REML",
             control = lmeControl(maxIter = 200, msMaxIter = 200))
  list(fit = fit, errors = sqrt(diag(vcov(fit))))
}
run <- timed(model)
correlation <- run$result$fit$modelStruct$corStruct
report(run$numbers, version = as.character(packageVersion("nlme")),
       log_likelihood = as.numeric(logLik(run$result$fit)),
       estimates = I(unname(fixef(run$result$fit))), standard_errors = I(unname(run$result$errors)),
       phi = if (is.null(correlation)) NULL else coef(correlation, unconstrained = FALSE)[[1]],
       converged = TRUE)
