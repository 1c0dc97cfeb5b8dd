# Reference numbers for alliance.survival, made by R alone. Run in this folder: Rscript survival.R ;
# it writes the data (CSV) and survival.json. Packages: survival (data and estimators), nnet, jsonlite.
suppressPackageStartupMessages({library(survival); library(jsonlite)})
numbers <- function(x) as.list(x)
step <- function(f, times) { s <- summary(f, times = times, extend = TRUE)
  list(time = s$time, surv = s$surv, se = s$std.err, lower = s$lower, upper = s$upper, n_risk = s$n.risk) }
out <- list()

# ---- lung: Kaplan-Meier and Cox
lung2 <- within(lung, event <- as.integer(status == 2))[, c("time", "event", "age", "sex", "ph.ecog")]
names(lung2)[5] <- "ecog"
write.csv(lung2, "lung.csv", row.names = FALSE, quote = FALSE, na = "")
km <- survfit(Surv(time, event) ~ 1, lung2, conf.type = "log-log")
plain <- survfit(Surv(time, event) ~ 1, lung2)
out$lung_km <- c(step(km, c(0, 100, 200, 310, 500, 800)),
  list(median = unname(summary(plain)$table[c("median", "0.95LCL", "0.95UCL")]),
       median_log_log = unname(summary(km)$table[c("median", "0.95LCL", "0.95UCL")])))
cox_numbers <- function(m) { z <- cox.zph(m, transform = "identity", terms = FALSE)$table
  list(coef = numbers(coef(m)), se = sqrt(diag(as.matrix(if (is.null(m$naive.var)) m$var else m$naive.var))),
       robust_se = if (is.null(m$naive.var)) NULL else sqrt(diag(as.matrix(m$var))),
       log_likelihood = m$loglik, n = m$n, events = m$nevent, zph_chisq = z[, "chisq"], zph_df = z[, "df"], zph_p = z[, "p"]) }
out$lung_cox <- cox_numbers(coxph(Surv(time, event) ~ age + sex + ecog, lung2))

# ---- start-stop rows with a value that changes, many ties, clusters: made here, seed fixed
set.seed(20261123)
rows <- do.call(rbind, lapply(1:240, function(i) {
  therapist <- (i - 1) %/% 8 + 1; x <- rnorm(1); alliance <- cumsum(rnorm(14, 0, 0.5)) + x
  hazard <- plogis(-3 - 0.6 * alliance + 0.5 * sin(therapist)); left <- which(runif(14) < hazard)
  last <- min(c(left, 14)); end <- sample(5:14, 1); last <- min(last, end)
  dropped <- length(left) > 0 && left[1] == last
  cause <- c(rep(0, last - 1), if (dropped) 1 else if (runif(1) < 0.6) 2 else 0)
  data.frame(client = i, therapist = therapist, start = 0:(last - 1), stop = 1:last,
             event = as.integer(cause == 1), cause = cause, alliance = round(alliance[1:last], 4), baseline = round(x, 4)) }))
rows$weight <- round(ifelse(rows$client %% 2 == 0, 1, 0.6), 1)
write.csv(rows, "courses.csv", row.names = FALSE, quote = FALSE)
out$courses_cox <- cox_numbers(coxph(Surv(start, stop, event) ~ alliance + baseline, rows, cluster = therapist))
out$courses_weighted <- cox_numbers(coxph(Surv(start, stop, event) ~ alliance + baseline, rows, weights = weight, cluster = therapist))
out$courses_breslow <- cox_numbers(coxph(Surv(start, stop, event) ~ alliance + baseline, rows, ties = "breslow", cluster = therapist))

# ---- frailty; sparse = FALSE: the information in full (sparse leaves out what groups share)
tight <- coxph.control(eps = 1e-11, iter.max = 200, outer.max = 100)
frailty_numbers <- function(m, n_fixed) { h <- m$history[[1]]
  list(coef = numbers(coef(m)[seq_len(n_fixed)]), se = sqrt(diag(as.matrix(m$var)))[seq_len(n_fixed)],
       variance = h$theta, log_likelihood = m$loglik, integrated = h$c.loglik, frailty = unname(m$frail)) }
rats2 <- rats[rats$sex == "f", c("litter", "rx", "time", "status")]
write.csv(rats2, "rats.csv", row.names = FALSE, quote = FALSE)
out$rats_gamma <- frailty_numbers(coxph(Surv(time, status) ~ rx + frailty(litter, sparse = FALSE, eps = 1e-7), rats2, control = tight), 1)
out$rats_gaussian <- frailty_numbers(coxph(Surv(time, status) ~ rx + frailty(litter, distribution = "gaussian", sparse = FALSE, eps = 1e-7), rats2, control = tight), 1)
out$rats_default <- { r <- coxph(Surv(time, status) ~ rx + frailty(litter), rats2)  # R's own stopping rules
  list(coef = numbers(coef(r)[1]), variance = r$history[[1]]$theta) }
# all 300 animals
rats3 <- transform(rats, male = as.integer(sex == "m"))[, c("litter", "rx", "male", "time", "status")]
write.csv(rats3, "rats_both.csv", row.names = FALSE, quote = FALSE)
out$rats_both_gamma <- frailty_numbers(coxph(Surv(time, status) ~ rx + male + frailty(litter, sparse = FALSE, eps = 1e-7), rats3, control = tight), 2)
kidney2 <- kidney[, c("id", "time", "status", "age", "sex")]
write.csv(kidney2, "kidney.csv", row.names = FALSE, quote = FALSE)
out$kidney_gamma <- frailty_numbers(coxph(Surv(time, status) ~ age + sex + frailty(id, sparse = FALSE, eps = 1e-7), kidney2, control = tight), 2)
out$kidney_gaussian <- frailty_numbers(coxph(Surv(time, status) ~ age + sex + frailty(id, distribution = "gaussian", sparse = FALSE, eps = 1e-7), kidney2, control = tight), 2)
out$courses_gamma <- frailty_numbers(coxph(Surv(start, stop, event) ~ alliance + baseline + frailty(therapist, sparse = FALSE, eps = 1e-7), rows, control = tight), 2)
out$courses_gaussian <- frailty_numbers(coxph(Surv(start, stop, event) ~ alliance + baseline + frailty(therapist, distribution = "gaussian", sparse = FALSE, eps = 1e-7), rows, control = tight), 2)

# ---- mgus2: competing risks (the vignette's example)
m <- mgus2; m$etime <- with(m, ifelse(pstat == 0, futime, ptime)); m$cause <- with(m, ifelse(pstat == 0, 2 * death, 1))
m <- m[, c("id", "age", "sex", "etime", "cause")]; m$male <- as.integer(m$sex == "M"); m$sex <- NULL
write.csv(m, "mgus2.csv", row.names = FALSE, quote = FALSE)
m$event <- factor(m$cause, 0:2, labels = c("censor", "pcm", "death"))
aj <- survfit(Surv(etime, event) ~ 1, m, id = id, conf.type = "log-log")
s <- summary(aj, times = c(12, 60, 120, 240, 360))
out$mgus2_incidence <- list(time = s$time, pcm = s$pstate[, 2], death = s$pstate[, 3], se_pcm = s$std.err[, 2],
  se_death = s$std.err[, 3], lower_pcm = s$lower[, 2], upper_pcm = s$upper[, 2], n_risk = s$n.risk[, 1])
fg <- function(what) { f <- finegray(Surv(etime, event) ~ ., data = m, id = id, etype = what)
  fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + male, fg_data <- f, weights = fgwt, cluster = id)
  list(coef = numbers(coef(fit)), robust_se = sqrt(diag(fit$var)), se = sqrt(diag(fit$naive.var)),
       log_likelihood = fit$loglik, rows = nrow(f), weight_sum = sum(f$fgwt)) }
out$mgus2_fine_gray <- list(pcm = fg("pcm"), death = fg("death"))
left <- coxph(Surv(etime, event == "pcm") ~ age + male, m)
out$mgus2_cause_specific <- list(coef = numbers(coef(left)), se = sqrt(diag(left$var)))
# clients of the made-up courses, one row each, for cumulative incidence with several causes
last <- rows[!duplicated(rows$client, fromLast = TRUE), ]
aj2 <- survfit(Surv(stop, factor(cause, 0:2, c("censor", "dropout", "completed"))) ~ 1, last, id = client, conf.type = "log-log")
s2 <- summary(aj2, times = 1:14)
out$courses_incidence <- list(time = s2$time, dropout = s2$pstate[, 2], se = s2$std.err[, 2], lower = s2$lower[, 2],
  upper = s2$upper[, 2], n_risk = s2$n.risk[, 1])
last$event3 <- factor(last$cause, 0:2, c("censor", "dropout", "completed"))
f <- finegray(Surv(stop, event3) ~ ., data = last, id = client, etype = "dropout")
fgm <- coxph(Surv(fgstart, fgstop, fgstatus) ~ baseline, f, weights = fgwt, cluster = therapist)
out$courses_fine_gray <- list(coef = numbers(coef(fgm)), robust_se = sqrt(diag(fgm$var)), se = sqrt(diag(fgm$naive.var)))
# ---- several ends together, one row a session: multinomial logit, covariance clustered by therapist
suppressPackageStartupMessages(library(nnet))
mn <- multinom(factor(cause, 0:2) ~ alliance + baseline + log(stop), rows, reltol = 1e-14, abstol = 1e-14, maxit = 500, trace = FALSE, Hess = TRUE)
X <- cbind(1, rows$alliance, rows$baseline, log(rows$stop)); P <- fitted(mn)
Y <- cbind(rows$cause == 1, rows$cause == 2); U <- do.call(cbind, lapply(1:2, function(k) (Y[, k] - P[, k + 1]) * X))
information <- do.call(rbind, lapply(1:2, function(j) do.call(cbind, lapply(1:2, function(k)
  crossprod(X, P[, j + 1] * ((j == k) - P[, k + 1]) * X)))))
bread <- solve(information); S <- rowsum(U, rows$therapist); G <- nrow(S); N <- nrow(X)
robust <- bread %*% crossprod(S) %*% bread * G / (G - 1) * (N - 1) / (N - ncol(U))
out$courses_multinomial <- list(coef = as.vector(t(coef(mn))), se = sqrt(diag(bread)), robust_se = sqrt(diag(robust)),
  log_likelihood = as.numeric(logLik(mn)))
write(toJSON(out, digits = 15, auto_unbox = TRUE, null = "null", pretty = TRUE), "survival.json")
