# Reference numbers for the synthesis over sites, the panel estimators and the growth ladder.
# Run in this folder: Rscript references.R   (R 4.2.2, metafor 3.8-1, plm 2.6-2, lme4 1.1-31, nlme 3.1-162)
suppressMessages({library(metafor); library(plm); library(lme4); library(nlme); library(jsonlite)})
out <- list()

# --- random-effects synthesis: dat.bcg (Colditz et al. 1994; in the R package of meta-analytic data, GPL) -------------------
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
write.csv(data.frame(yi = as.numeric(bcg$yi), vi = as.numeric(bcg$vi)), "bcg.csv", row.names = FALSE)
describe <- function(wald, knapp) {
  p <- predict(knapp); u <- confint(knapp)$random
  # Prediction after Partlett & Riley (2017): k - 2 degrees of freedom; predict() itself takes k - 1 here.
  reach <- qt(.975, knapp$k - 2) * sqrt(knapp$tau2 + knapp$se^2)
  list(tau2 = wald$tau2, tau2_se = wald$se.tau2, estimate = as.numeric(wald$b), se = wald$se,
       wald = c(wald$ci.lb, wald$ci.ub), hk_se = knapp$se, hk = c(knapp$ci.lb, knapp$ci.ub),
       hk_p = knapp$pval, pi = c(p$pred - reach, p$pred + reach), pi_of_predict = c(p$pi.lb, p$pi.ub), q = wald$QE, q_p = wald$QEp, i2 = wald$I2,
       tau2_profile = as.numeric(u["tau^2", c("ci.lb", "ci.ub")]))
}
out$bcg <- describe(rma(yi, vi, data = bcg, method = "REML", control = list(threshold = 1e-12, maxiter = 1000)),
                    rma(yi, vi, data = bcg, method = "REML", control = list(threshold = 1e-12, maxiter = 1000), test = "knha"))
few <- bcg[c(1, 4, 6), ]
out$bcg_three <- describe(rma(yi, vi, data = few, method = "REML", control = list(threshold = 1e-12, maxiter = 1000)),
                          rma(yi, vi, data = few, method = "REML", control = list(threshold = 1e-12, maxiter = 1000), test = "knha"))
same <- data.frame(yi = c(.10, .12, .11, .09, .10), vi = c(.04, .05, .03, .06, .05))
out$homogeneous <- describe(rma(yi, vi, data = same, method = "REML", control = list(threshold = 1e-12, maxiter = 1000)),
                            rma(yi, vi, data = same, method = "REML", control = list(threshold = 1e-12, maxiter = 1000), test = "knha"))

# --- panel estimators: Grunfeld (1958; in plm, GPL) ---------------------------------------------
data("Grunfeld", package = "plm")
write.csv(Grunfeld, "grunfeld.csv", row.names = FALSE)
form <- inv ~ value + capital
panel <- pdata.frame(Grunfeld, index = c("firm", "year"))
fit <- function(model, ...) plm(form, data = panel, model = model, ...)
take <- function(m) { s <- summary(m)$coefficients
  list(estimate = s[c("value", "capital"), 1], se = s[c("value", "capital"), 2]) }
within <- fit("within"); re <- fit("random", random.method = "swar")
out$grunfeld <- list(
  within = take(within),
  within_clustered = list(estimate = coef(within), se = sqrt(diag(vcovHC(within, type = "HC0", cluster = "group")))),
  # Differences instrumented by the levels one year before, by hand: b = (Z'X)^-1 Z'y, just identified.
  anderson_hsiao = { lagged <- function(v) c(NA, head(v, -1)); d <- Grunfeld
    for (v in c("inv", "value", "capital")) d[[paste0(v, "_1")]] <- ave(d[[v]], d$firm, FUN = lagged)
    d <- d[!is.na(d$inv_1), ]; Z <- as.matrix(d[, c("value_1", "capital_1")])
    X <- as.matrix(d[, c("value", "capital")]) - Z; y <- d$inv - d$inv_1
    b <- drop(solve(crossprod(Z, X), crossprod(Z, y))); e <- drop(y - X %*% b)
    P <- Z %*% solve(crossprod(Z), crossprod(Z, X))
    list(estimate = b, se = sqrt(diag(solve(crossprod(P))) * sum(e^2) / (length(y) - 2))) },
  between = take(fit("between")), random = take(re),
  hausman = { h <- phtest(within, re); list(statistic = as.numeric(h$statistic), df = as.numeric(h$parameter), p = h$p.value) })
G <- Grunfeld
for (v in c("value", "capital")) { m <- ave(G[[v]], G$firm); G[[paste0(v, "_m")]] <- m; G[[paste0(v, "_w")]] <- G[[v]] - m }
rewb <- lmer(inv ~ value_w + capital_w + value_m + capital_m + (1 | firm), data = G)
mundlak <- lmer(inv ~ value + capital + value_m + capital_m + (1 | firm), data = G)
V <- as.matrix(vcov(mundlak))[4:5, 4:5]; b <- fixef(mundlak)[4:5]
out$grunfeld$mundlak <- list(within = as.numeric(fixef(rewb)[2:3]), wald = as.numeric(t(b) %*% solve(V) %*% b), df = 2)

# --- growth ladder: sleepstudy (Belenky et al. 2003; in lme4) and Orthodont (in nlme) ------------
ctrl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e6), calc.derivs = FALSE)
ladder <- function(d) {
  steps <- list(
    null = lmer(y ~ 1 + (1 | id), d, REML = FALSE, control = ctrl),
    linear = lmer(y ~ t + (1 | id), d, REML = FALSE, control = ctrl),
    linear_client_slopes = lmer(y ~ t + (t | id), d, REML = FALSE, control = ctrl),
    log_client_slopes = lmer(y ~ log1p(t) + (log1p(t) | id), d, REML = FALSE, control = ctrl),
    quadratic = lmer(y ~ t + I(t^2) + (t | id), d, REML = FALSE, control = ctrl))
  lapply(steps, function(m) list(log_likelihood = as.numeric(logLik(m)), aic = AIC(m), bic_rows = BIC(m),
    n_parameters = attr(logLik(m), "df")))
}
ar1 <- function(d) { m <- lme(y ~ t, d, ~ 1 | id, method = "ML", correlation = corCAR1(form = ~ t | id),
    control = lmeControl(maxIter = 500, msMaxIter = 500, niterEM = 50))
  list(log_likelihood = as.numeric(logLik(m)), phi = as.numeric(coef(m$modelStruct$corStruct, unconstrained = FALSE))) }
knots <- function(d, at) sapply(at, function(k) { d$after <- pmax(d$t - k, 0)
  as.numeric(logLik(lmer(y ~ t + after + (t | id), d, REML = FALSE, control = ctrl))) })
sleep <- data.frame(id = sleepstudy$Subject, t = sleepstudy$Days, y = sleepstudy$Reaction)
write.csv(sleep, "sleepstudy.csv", row.names = FALSE)
out$sleepstudy <- c(ladder(sleep), list(continuous_ar1 = ar1(sleep),
  knots = list(at = 1:8, log_likelihood = knots(sleep, 1:8))))
orth <- data.frame(id = as.character(Orthodont$Subject), t = Orthodont$age - 8, y = Orthodont$distance)
write.csv(orth, "orthodont.csv", row.names = FALSE)
out$orthodont <- c(ladder(orth), list(knots = list(at = c(2, 4), log_likelihood = knots(orth, c(2, 4)))))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "references.json")
