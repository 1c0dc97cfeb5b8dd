# Reference numbers for imputation and weights: mice, jomo, mitml, lme4, geepack, clubSandwich.
# Rscript missing.R   (writes weighted.csv, dropout.csv and missing.json beside itself)
suppressMessages({
  library(mice); library(jomo); library(mitml); library(lme4); library(geepack)
  library(clubSandwich); library(jsonlite)
})

# 1. Rubin's rules with Barnard and Rubin's degrees of freedom, on numbers anybody can type in.
q <- c(0.412, 0.365, 0.448, 0.391, 0.437)
u <- c(0.0021, 0.0024, 0.0019, 0.0023, 0.0022)
rules <- function(dfcom) {
  p <- pool.scalar(q, u, n = dfcom + 1, k = 1)
  list(dfcom = if (is.finite(dfcom)) dfcom else NULL, estimate = p$qbar, se = sqrt(p$t), df = p$df,
       fmi = p$fmi)
}
pools <- lapply(c(20, 94, Inf), rules)

# 2. Weighted least squares, clustered: geepack's coefficients, clubSandwich's CR2 and Satterthwaite.
set.seed(8)
n <- 40; k <- 6
d <- data.frame(client = rep(1:n, each = k), t = rep(0:(k - 1), n))
d$group <- as.numeric(d$client %% 2 == 0)
d$y <- 10 + rnorm(n)[d$client] * 2 + (0.4 + 0.3 * d$group + rnorm(n)[d$client] * .3) * d$t + rnorm(n * k)
d$w <- exp(rnorm(n * k, sd = .4))
d <- d[runif(n * k) > .2, ]
gee <- geeglm(y ~ t * group, id = client, data = d, weights = w, corstr = "independence")
ls <- lm(y ~ t * group, data = d, weights = w)
cr2 <- coef_test(ls, vcov = "CR2", cluster = d$client, inverse_var = TRUE, test = "Satterthwaite")
write.csv(format(d, digits = 12), "weighted.csv", row.names = FALSE, quote = FALSE)

# 3. Imputation of scores after leaving: jomo's Gibbs sampler of a model with clients' own levels and
# lines, lme4 on each completed set, pooled by mitml. Leaving goes with the last score seen.
set.seed(21)
n <- 120; k <- 6
full <- data.frame(client = rep(1:n, each = k), t = rep(0:(k - 1), n))
full$y <- 20 + rnorm(n, sd = 3)[full$client] + (-0.5 + rnorm(n, sd = .5)[full$client]) * full$t +
  rnorm(n * k, sd = 2)
full$gone <- ave(full$y, full$client, FUN = function(y) {
  leave <- runif(k) < plogis(-2 + .25 * (y - 19))
  c(0, cummax(leave)[-k])
})
seen <- full
seen$y[full$gone == 1] <- NA
one <- cbind(1, full$t); colnames(one) <- c("one", "t")
imputed <- jomo1ran(Y = data.frame(y = seen$y), X = one, Z = one, clus = data.frame(client = full$client),
                    nburn = 1000, nbetween = 200, nimp = 100, output = 0)
sets <- split(imputed, imputed$Imputation)[-1]
fits <- lapply(sets, function(s) {
  s <- data.frame(client = full$client, t = full$t, y = s$y)
  lmer(y ~ t + (t | client), s, control = lmerControl(check.conv.singular = "ignore"))
})
pool <- testEstimates(as.mitml.result(fits))$estimates
ml <- lmer(y ~ t + (t | client), seen)
write.csv(format(seen[!is.na(seen$y), c("client", "t", "y")], digits = 12), "dropout.csv",
          row.names = FALSE, quote = FALSE)

out <- list(
  jomo = list(slope = pool["t", 1], se = pool["t", 2], fmi = pool["t", 7],
              b_sd = sd(sapply(fits, function(f) fixef(f)[2])), imputations = 100),
  lme4 = list(slope = unname(fixef(ml)[2]), se = sqrt(vcov(ml)[2, 2])),
  versions = sapply(c("mice", "jomo", "mitml", "lme4", "geepack", "clubSandwich"), function(p) as.character(packageVersion(p))),
  q = q, u = u, pools = pools,
  geepack = list(coefficients = unname(coef(gee)), se_cr0 = unname(summary(gee)$coefficients[, 2])),
  cr2 = list(se = cr2$SE, df = cr2$df_Satt)
)
write_json(out, "missing.json", digits = 12, auto_unbox = TRUE, pretty = TRUE)
