# Reference numbers for the diagnostics: refits without one group, and residuals without memory.
#
#     Rscript diagnostics.R [output folder]      (inside this folder)
#
# Reads the data sets of ../mixed and ../mixed_logit (their origin and licence stand there). Every
# refit is a full one by lme4, its variances estimated again.
suppressPackageStartupMessages({
  library(jsonlite)
  library(lme4)
  library(nlme)
})
args <- commandArgs(trailingOnly = TRUE)
out <- if (length(args)) args[[1]] else "."
tight <- lmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), calc.derivs = FALSE,
  check.conv.singular = "ignore"
)

# Estimate and standard error of every fixed effect without each group, Cook's distance with the
# covariance of the whole fit, and DFBETAS with the standard error of the refit.
without_each <- function(fit, data, group, refit) {
  whole <- fixef(fit)
  inverse <- solve(as.matrix(vcov(fit)))
  groups <- sort(unique(as.character(data[[group]])))
  rows <- lapply(groups, function(one) {
    other <- refit(droplevels(data[as.character(data[[group]]) != one, ]))
    change <- whole - fixef(other)
    se <- sqrt(diag(as.matrix(vcov(other))))
    list(
      group = one, estimate = unname(fixef(other)), se = unname(se),
      dfbetas = unname(change / se),
      cook = as.numeric(t(change) %*% inverse %*% change) / length(change)
    )
  })
  list(terms = names(whole), estimate = unname(whole), without = rows)
}

sleepstudy <- read.csv("../mixed/sleepstudy.csv")
slopes <- function(data) {
  lmer(Reaction ~ Days + (Days | Subject), data, REML = TRUE, control = tight)
}
pastes <- read.csv("../mixed/pastes.csv", stringsAsFactors = TRUE)
nested <- function(data) lmer(strength ~ 1 + (1 | batch / cask), data, control = tight)
cbpp <- read.csv("../mixed_logit/cbpp.csv", stringsAsFactors = TRUE)
binary <- function(data) {
  glmer(sick ~ period + (1 | herd), data, family = binomial, nAGQ = 15,
        control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))
}

ovary <- read.csv("../mixed/ovary.csv")
memory <- lme(
  follicles ~ sine + cosine, data = ovary, random = ~ 1 | Mare,
  correlation = corAR1(form = ~ occasion | Mare), method = "REML",
  control = lmeControl(msTol = 1e-12, tolerance = 1e-12, maxIter = 200, msMaxIter = 200)
)
normalised <- as.numeric(resid(memory, type = "normalized"))

found <- list(
  r = paste(R.version$major, R.version$minor, sep = "."),
  packages = lapply(setNames(nm = c("lme4", "nlme")), function(p) as.character(packageVersion(p))),
  sleepstudy = without_each(slopes(sleepstudy), sleepstudy, "Subject", slopes),
  pastes = without_each(nested(pastes), pastes, "batch", nested),
  cbpp = without_each(binary(cbpp), cbpp, "herd", binary),
  ovary = list(phi = as.numeric(coef(memory$modelStruct$corStruct, unconstrained = FALSE)),
               normalised = normalised)
)
write(toJSON(found, auto_unbox = TRUE, digits = 12, pretty = 1),
      file.path(out, "diagnostics.json"))
