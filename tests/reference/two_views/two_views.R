# Reference numbers for the truth-and-bias model and the response surface (lme4, lmerTest).
# Run in this folder: Rscript two_views.R   The data are made here, from a fixed seed.
suppressMessages({library(lmerTest); library(jsonlite)})
set.seed(20261123)
n <- 60; k <- 8
d <- do.call(rbind, lapply(1:n, function(i) {
  level <- rnorm(1, 60, 9); a <- rnorm(1, -7, 8); b <- rnorm(1, .45, .35)
  client <- level + rnorm(k, 0, 10)
  therapist <- mean(client) + a + b * (client - mean(client)) + rnorm(k, 0, 6)
  data.frame(id = sprintf("c%02d", i), session = 1:k, client = client, therapist = therapist)
}))
d$client <- round(pmin(pmax(d$client, 0), 100), 3); d$therapist <- round(pmin(pmax(d$therapist, 0), 100), 3)
m <- function(v) ave(v, d$id)
d$cw <- d$client - m(d$client); d$tw <- d$therapist - m(d$therapist)
u <- rnorm(n, 0, 3)[as.integer(factor(d$id))]
d$y <- round(14 + u - .05 * d$cw - .01 * d$tw - .002 * (d$cw - d$tw)^2 + rnorm(nrow(d), 0, 2.5), 4)
write.csv(d[, c("id", "session", "client", "therapist", "y")], "two_views.csv", row.names = FALSE)
ctrl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e6))
d$from_mean <- d$therapist - m(d$client)
tb <- lmer(from_mean ~ cw + (cw | id), d, control = ctrl)
take <- function(f) { s <- summary(f)$coefficients
  list(estimate = unname(s[, 1]), se = unname(s[, 2]), df = unname(s[, 3]), log_likelihood = as.numeric(logLik(f))) }
rs <- lmer(y ~ cw + tw + I(cw^2) + cw:tw + I(tw^2) + (1 | id), d, control = ctrl)
b <- fixef(rs)[c("cw", "tw", "I(cw^2)", "cw:tw", "I(tw^2)")]
V <- as.matrix(vcov(rs))[names(b), names(b)]
L <- rbind(a1 = c(1, 1, 0, 0, 0), a2 = c(0, 0, 1, 1, 1), a3 = c(1, -1, 0, 0, 0), a4 = c(0, 0, 1, -1, 1), a5 = c(0, 0, 1, 0, -1))
vc <- as.data.frame(VarCorr(tb))
out <- list(
  truth_and_bias = c(take(tb), list(sd = vc$sdcor[c(1, 2)], correlation = vc$sdcor[3], sigma = sigma(tb))),
  surface = c(take(rs), list(a = as.numeric(L %*% b), a_se = sqrt(diag(L %*% V %*% t(L))))),
  within_correlation = cor(d$cw, d$tw))
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "two_views.json")
