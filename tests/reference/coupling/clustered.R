# CR2 with Satterthwaite's degrees of freedom (clubSandwich) for the regressions beside the models: client
# fixed effects, quasi-demeaned (random effects), instruments, binary outcomes. Few clusters throughout.
# Run in this folder: Rscript clustered.R   (R 4.2.2, clubSandwich 0.5.8, AER 1.2-10, plm 2.6-2)
suppressMessages({library(clubSandwich); library(AER); library(plm); library(jsonlite)})
d <- read.csv("grunfeld.csv"); d$pair <- ceiling(d$firm / 2)   # five clusters of two firms each
take <- function(fit, cluster, terms) {
  t <- coef_test(fit, vcov = "CR2", cluster = cluster, test = "Satterthwaite")
  t <- t[match(terms, rownames(t)), ]
  list(estimate = as.list(setNames(t$beta, terms)), se = as.list(setNames(t$SE, terms)),
       df = as.list(setNames(t$df_Satt, terms)))
}
x <- c("value", "capital")
out <- list(
  within_by_firm = take(lm(inv ~ value + capital + factor(firm), d), d$firm, x),
  within_by_pair = take(lm(inv ~ value + capital + factor(firm), d), d$pair, x))
# Random effects: least squares of what plm transforms, y - theta mean(y).
re <- plm(inv ~ value + capital, pdata.frame(d, index = c("firm", "year")), model = "random", random.method = "swar")
theta <- ercomp(re)$theta
m <- function(v) v - theta * ave(v, d$firm)
q <- data.frame(inv = m(d$inv), value = m(d$value), capital = m(d$capital), constant = 1 - theta)
out$random_by_pair <- take(lm(inv ~ 0 + value + capital + constant, q), d$pair, x)
# Anderson-Hsiao: differences, instrumented by the levels one year before.
lagged <- function(v) c(NA, head(v, -1))
for (v in c("inv", x)) d[[paste0(v, "_1")]] <- ave(d[[v]], d$firm, FUN = lagged)
a <- d[!is.na(d$inv_1), ]
a <- transform(a, dinv = inv - inv_1, dvalue = value - value_1, dcapital = capital - capital_1)
iv <- ivreg(dinv ~ 0 + dvalue + dcapital | 0 + value_1 + capital_1, data = a)
t <- take(iv, a$pair, c("dvalue", "dcapital"))
out$anderson_hsiao_by_pair <- lapply(t, function(one) setNames(one, x))
# A binary outcome, six clusters: infert (Trichopoulos et al., 1976; in R's datasets).
i <- infert[, c("case", "spontaneous", "induced", "parity")]
write.csv(i, "infert.csv", row.names = FALSE)
for (link in c("logit", "cloglog"))
  out[[link]] <- take(glm(case ~ spontaneous + induced, binomial(link), i, epsilon = 1e-14), i$parity,
                      c("(Intercept)", "spontaneous", "induced"))
write(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "clustered.json")
