# Reference numbers of the joint model of a course and a hazard, made by R alone. Run in this folder:
# Rscript joint.R ; it writes aids.csv and joint.json. Packages: JM (1.5-2; data and estimator), nlme, survival, jsonlite.
# JM's own stopping rules, as documented: its intercept of the course stops early (see README.md).
suppressPackageStartupMessages({library(JM); library(jsonlite)})
write.csv(aids[, c("patient", "Time", "death", "CD4", "obstime", "drug")], "aids.csv", row.names = FALSE, quote = FALSE)
course <- lme(CD4 ~ obstime + obstime:drug, data = aids, random = ~ obstime | patient)
leaving <- coxph(Surv(Time, death) ~ drug, data = aids.id, x = TRUE)
m <- jointModel(course, leaving, timeVar = "obstime", method = "piecewise-PH-aGH")
D <- m$coefficients$D
rows <- within(aids, drug <- as.integer(drug) - 1)
naive <- coxph(Surv(start, stop, event) ~ CD4 + drug, rows)
out <- list(
  r = paste(R.version$major, R.version$minor, sep = "."), JM = as.character(packageVersion("JM")),
  log_likelihood = as.numeric(logLik(m)), course = as.list(m$coefficients$betas), hazard = as.list(m$coefficients$gammas),
  association = unname(m$coefficients$alpha), log_baseline = log(unname(m$coefficients$xi)), knots = m$control$knots,
  sigma = m$coefficients$sigma, sd = unname(sqrt(diag(D))), correlation = cov2cor(D)[1, 2],
  errors = as.list(sqrt(diag(vcov(m)))), convergence = m$convergence,
  naive = list(coef = as.list(coef(naive)), se = sqrt(diag(vcov(naive)))))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = 1), "joint.json")
