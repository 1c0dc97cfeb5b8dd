# lme4::sleepstudy (Belenky et al. 2003): REML, ML, random intercept, serial correlation with and
# without gaps (nlme), Satterthwaite, Kenward-Roger, profile intervals, likelihood ratio, R2, CR2.
source("common.R")
suppressPackageStartupMessages({
  library(lmerTest)
  library(pbkrtest)
  library(clubSandwich)
})
lmer <- lme4::lmer

# Subject2 repeats Subject: two levels with the same ids are uncorrelated effects (see below)
sleep <- write_data(transform(lme4::sleepstudy, Subject2 = Subject), "sleepstudy.csv")
subject <- list(Subject = c("1", "Days"))
intercept <- list(Subject = "1")
ask <- function(case, random, ...) {
  question(case, "sleepstudy.csv", "Reaction", c("1", "Days"), random, ...)
}
group <- c(Subject = "Subject")
cases <- list()

reml <- lmer_tight(Reaction ~ Days + (Days | Subject), sleep)
ml <- lmer_tight(Reaction ~ Days + (Days | Subject), sleep, REML = FALSE)
reml0 <- lmer_tight(Reaction ~ Days + (1 | Subject), sleep)
ml0 <- lmer_tight(Reaction ~ Days + (1 | Subject), sleep, REML = FALSE)

# ---- degrees of freedom: lmerTest for Satterthwaite, pbkrtest for Kenward-Roger
satterthwaite <- function(fit) {
  I(unname(coef(summary(as_lmerModLmerTest(fit), ddf = "Satterthwaite"))[, "df"]))
}
kenward_roger <- function(fit) {
  adjusted <- vcovAdj(fit)
  p <- length(fixef(fit))
  list(
    df = I(sapply(seq_len(p), function(k) {
      contrast <- rep(0, p)
      contrast[k] <- 1
      Lb_ddf(contrast, vcov(fit), adjusted)
    })),
    standard_errors = I(unname(sqrt(diag(as.matrix(adjusted)))))
  )
}
slope <- KRmodcomp(reml, matrix(c(0, 1), 1))$stats
cases[[1]] <- c(
  ask("sleepstudy_reml", subject), lmer_numbers(reml, group),
  list(
    satterthwaite_df = satterthwaite(reml), kenward_roger = kenward_roger(reml),
    f_test = list(contrast = list(I(c(0, 1))), f = slope$Fstat, ndf = slope$ndf, ddf = slope$ddf,
                  scaling = slope$F.scaling, p = slope$p.value)
  )
)
cases[[2]] <- c(ask("sleepstudy_ml", subject, method = "ML"), lmer_numbers(ml, group),
                list(bic_rows = BIC(ml), satterthwaite_df = satterthwaite(ml)))
cases[[3]] <- c(ask("sleepstudy_reml_intercept", intercept), lmer_numbers(reml0, group),
                list(satterthwaite_df = satterthwaite(reml0),
                     kenward_roger = kenward_roger(reml0)))
cases[[4]] <- c(ask("sleepstudy_ml_intercept", intercept, method = "ML"), lmer_numbers(ml0, group))

# An uncorrelated slope is two levels with the same ids, one term each: exactly (Days || Subject).
uncorrelated <- lmer_tight(Reaction ~ Days + (1 | Subject) + (0 + Days | Subject2), sleep, FALSE)
cases[[5]] <- c(
  ask("sleepstudy_ml_uncorrelated", list(Subject = "1", Subject2 = "Days"), method = "ML"),
  lmer_numbers(uncorrelated, c(Subject = "Subject", Subject2 = "Subject2"))
)

# ---- serial correlation (nlme)
serial <- function(case, data, structure, residual, method) {
  fit <- lme_tight(Reaction ~ Days, list(Subject = ~ 1), data, method, structure)
  c(list(fit = fit),
    list(case = c(
      question(case, attr(data, "file"), "Reaction", c("1", "Days"), intercept,
               residual = residual,
               residual_time = "Days", method = method),
      lme_numbers(fit, "Subject")
    )))
}
attr(sleep, "file") <- "sleepstudy.csv"
ar1 <- corAR1(form = ~ Days | Subject)
car1 <- corCAR1(form = ~ Days | Subject)
cases[[6]] <- serial("sleepstudy_reml_ar1", sleep, ar1, "ar1", "REML")$case
cases[[7]] <- serial("sleepstudy_ml_car1", sleep, car1, "car1", "ML")$case
cases[[8]] <- serial("sleepstudy_ml_ar1", sleep, ar1, "ar1", "ML")$case

# Gaps: every third or fourth row deleted. corAR1 with an integer covariate turns into ARMA(1, 0)
# and so uses the actual lag; corCAR1 gives the same likelihood because phi is positive here.
set.seed(20240101)
gaps <- write_data(lme4::sleepstudy[sort(sample(180, 126)), ], "sleepstudy_gaps.csv")
attr(gaps, "file") <- "sleepstudy_gaps.csv"
by_lag <- serial("sleepstudy_gaps_reml_ar1", gaps, ar1, "ar1", "REML")
by_time <- serial("sleepstudy_gaps_reml_car1", gaps, car1, "car1", "REML")
stopifnot(abs(logLik(by_lag$fit) - logLik(by_time$fit)) < 1e-8)
cases[[9]] <- by_lag$case
cases[[10]] <- by_time$case
cases[[11]] <- serial("sleepstudy_gaps_ml_ar1", gaps, ar1, "ar1", "ML")$case

# ---- profile intervals (lme4), REML fits are profiled as ML by lme4 itself
intervals <- suppressMessages(confint(ml, method = "profile", oldNames = FALSE))
cases[[2]]$profile_intervals <- lapply(seq_len(nrow(intervals)), function(k) {
  list(parameter = rownames(intervals)[k], low = intervals[k, 1], high = intervals[k, 2])
})

# ---- likelihood ratio of the correlated slope: half chi2(1), half chi2(2)
# (Self & Liang 1987; Stram & Lee 1994)
likelihood_ratio <- function(small, large) {
  statistic <- 2 * as.numeric(logLik(large) - logLik(small))
  list(statistic = statistic,
       p_mixture = 0.5 * pchisq(statistic, 1, lower.tail = FALSE) +
         0.5 * pchisq(statistic, 2, lower.tail = FALSE),
       p_naive = pchisq(statistic, 2, lower.tail = FALSE))
}
cases[[1]]$likelihood_ratio <- likelihood_ratio(reml0, reml)
cases[[2]]$likelihood_ratio <- likelihood_ratio(ml0, ml)

# ---- R2 of Nakagawa & Schielzeth (2013) with random slopes after Johnson (2014): the mean of
# z' Sigma z over rows for the random part.
r2 <- function(fit) {
  x <- getME(fit, "X")
  fixed <- var(as.numeric(x %*% fixef(fit)))
  sigma <- as.matrix(VarCorr(fit)$Subject)
  z <- cbind(1, sleep$Days)[, seq_len(nrow(sigma)), drop = FALSE]
  random <- mean(rowSums((z %*% sigma) * z))
  total <- fixed + random + sigma(fit)^2
  list(fixed_variance_n_minus_1 = fixed, marginal = fixed / total,
       conditional = (fixed + random) / total)
}
cases[[1]]$r2 <- r2(reml)
cases[[3]]$r2 <- r2(reml0)

# ---- cluster-robust CR2 (clubSandwich), working model = the fitted mixed model
robust <- function(fit) {
  test <- coef_test(fit, vcov = vcovCR(fit, type = "CR2"), test = "Satterthwaite")
  list(level = "Subject", standard_errors = I(test$SE), df = I(test$df_Satt))
}
cases[[1]]$cr2 <- robust(reml)
cases[[3]]$cr2 <- robust(reml0)

cases[[1]]$modes <- lmer_modes(reml, group)

write_cases(cases, "sleepstudy")
