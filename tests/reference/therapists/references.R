# Reference numbers for the models of therapists. Run in this folder: Rscript references.R
# (R 4.2.2, lme4 1.1-31, nlme 3.1-162)
suppressMessages({library(lme4); library(nlme); library(jsonlite)})
out <- list()

# --- clients of 30 therapists, made here: levels and slopes of therapists, an effect within and another between ----------
set.seed(20261130)
J <- 30; n <- sample(2:16, J, replace = TRUE); therapist <- rep(sprintf("t%02d", 1:J), n); N <- sum(n); j <- rep(1:J, n)
vA <- rnorm(J, 0, 4); vS <- -.5 * vA + rnorm(J, 0, 1.5); vT <- rnorm(J, 0, .25)
age <- round(rnorm(N, 40, 12)); pre <- 15 + .05 * (age - 40) + rnorm(N, 0, 4)
a <- 40 + vA[j] + rnorm(N, 0, 6); change <- -.4 + vT[j] + rnorm(N, 0, .35)
post <- pmax(0, 4 + .5 * pre + vS[j] - .15 * (a - 40 - vA[j]) + rnorm(N, 0, 3.5))
left <- rbinom(N, 1, plogis(-.8 + .15 * vS[j] + .04 * (pre - 15)))
D <- data.frame(therapist = therapist, client = sprintf("c%03d", 1:N), age = age, first = pre, last = post, early_alliance = a, dropped_out = left)
D$early_alliance[sample(N, 15)] <- NA; D$last[sample(N, 10)] <- NA
write.csv(D, "clients.csv", row.names = FALSE, na = "")
T <- 8; S <- do.call(rbind, lapply(0:(T - 1), function(t) data.frame(therapist = therapist, client = D$client, age = age,
  week = t, y = pre + change * t + rnorm(N, 0, 2))))
S <- S[runif(nrow(S)) < .85, ]; write.csv(S, "sessions.csv", row.names = FALSE)

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6), calc.derivs = FALSE)
one <- function(form, data) {
  m <- lmer(form, data, control = tight); v <- as.data.frame(VarCorr(m))$vcov
  small <- lm(lme4::nobars(form), data)
  ll <- function(f) as.numeric(logLik(f, REML = TRUE))
  r <- ranef(m, condVar = TRUE)$therapist
  list(share = v[1] / sum(v), statistic = max(0, 2 * (ll(m) - ll(small))),
       estimate = r[, 1], se = sqrt(as.numeric(attr(r, "postVar"))), therapist = rownames(r),
       reliability = 1 - as.numeric(attr(r, "postVar")) / v[1])
}
out$outcome <- one(last ~ 1 + (1 | therapist), D)
out$outcome_adjusted <- one(last ~ first + age + (1 | therapist), D)
out$alliance <- one(early_alliance ~ 1 + (1 | therapist), D)

change <- function(fixed) {
  large <- lmer(update(fixed, . ~ . + (week | therapist) + (week | client)), S, control = tight)
  small <- lmer(update(fixed, . ~ . + (1 | therapist) + (week | client)), S, control = tight)
  v <- VarCorr(large); b <- v$therapist[2, 2]; w <- v$client[2, 2]
  list(share = b / (b + w), statistic = as.numeric(2 * (logLik(large) - logLik(small))))
}
out$change <- change(y ~ week); out$change_adjusted <- change(y ~ week * age)

leave <- function(form) {
  m <- glmer(form, D, family = binomial, control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6)))
  small <- glm(lme4::nobars(form), D, family = binomial); v <- as.data.frame(VarCorr(m))$vcov
  list(share = v / (v + pi^2 / 3), statistic = max(0, as.numeric(2 * (logLik(m) - logLik(small)))))
}
out$dropout <- leave(dropped_out ~ 1 + (1 | therapist)); out$dropout_adjusted <- leave(dropped_out ~ first + age + (1 | therapist))

# --- alliance and outcome together: one row a client and measure, latent therapist means --------------------------------
L <- rbind(data.frame(D[c("therapist", "client", "first", "age")], what = "a", value = D$early_alliance),
           data.frame(D[c("therapist", "client", "first", "age")], what = "s", value = D$last))
L <- L[!is.na(L$value), ]; L$what <- factor(L$what); L$place <- as.integer(L$what); L <- L[order(L$therapist, L$client, L$place), ]
m <- lme(value ~ 0 + what + what:first + what:age, L, random = ~ 0 + what | therapist,
         correlation = corSymm(form = ~ place | therapist / client), weights = varIdent(form = ~ 1 | what), method = "REML",
         control = lmeControl(opt = "optim", optimMethod = "BFGS", reltol = 1e-14, maxIter = 500, msMaxIter = 2000, niterEM = 100))
G <- getVarCov(m); G <- matrix(as.numeric(G), 2)
ratio <- coef(m$modelStruct$varStruct, unconstrained = FALSE); ratio <- as.numeric(ratio[names(ratio) == "s"])
if (!length(ratio)) ratio <- 1 / as.numeric(coef(m$modelStruct$varStruct, unconstrained = FALSE))
rho <- as.numeric(coef(m$modelStruct$corStruct, unconstrained = FALSE))
out$both <- list(within = rho * ratio, between = G[1, 2] / G[1, 1], contextual = G[1, 2] / G[1, 1] - rho * ratio,
                 log_likelihood = as.numeric(logLik(m)))
writeLines(toJSON(out, auto_unbox = TRUE, digits = 10, pretty = TRUE), "references.json")
