# Edges of alliance.survival: times that differ by rounding alone (R's `timefix`), and the test of
# proportional hazards of whole terms (a factor; an interaction). Run in this folder after survival.R:
# Rscript edges.R ; it writes edges.csv and edges.json. Packages: survival, jsonlite.
suppressPackageStartupMessages({library(survival); library(jsonlite)})
set.seed(20261128)
n <- 80
steps <- sample(1:9, n, TRUE)
edges <- data.frame(steps, x = round(rnorm(n), 3), arm = sample(c("a", "b", "c"), n, TRUE),
                    cause = sample(0:2, n, TRUE, c(0.3, 0.5, 0.2)))
write.csv(edges, "edges.csv", row.names = FALSE, quote = FALSE)
# k tenths added up one by one, for every second person at once: 0.1 + 0.1 + 0.1 is not 0.3.
one_by_one <- sapply(edges$steps, function(k) { t <- 0; for (i in seq_len(k)) t <- t + 0.1; t })
edges$time <- ifelse(seq_len(n) %% 2 == 0, one_by_one, edges$steps / 10)
stopifnot(length(unique(edges$time)) > 9)
edges$event <- as.integer(edges$cause == 1)
fit <- coxph(Surv(time, event) ~ x, edges)
km <- survfit(Surv(time, event) ~ 1, edges)
incidence <- survfit(Surv(time, factor(cause)) ~ 1, edges)
fg <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x, weights = fgwt,
            finegray(Surv(steps, factor(cause)) ~ x, edges, etype = "1"))
terms <- coxph(Surv(steps, event) ~ x * arm, edges)
whole <- cox.zph(terms, transform = "identity", terms = TRUE)$table
writeLines(toJSON(list(
  r = paste(R.version$major, R.version$minor, sep = "."), survival = as.character(packageVersion("survival")),
  cox = list(coef = coef(fit), se = sqrt(vcov(fit)[1, 1]), log_likelihood = fit$loglik),
  km = list(time = km$time, surv = km$surv, n_risk = km$n.risk),
  incidence = incidence$pstate[, 2],
  fine_gray = list(coef = coef(fg)),
  zph_terms = list(chisq = whole[, "chisq"], df = whole[, "df"], p = whole[, "p"])
), digits = NA, auto_unbox = TRUE, pretty = 1), "edges.json")
