# Reference numbers for the panel estimators with a lagged outcome: GMM, half-panel jackknife, and two structural models.
# Run in this folder: Rscript references.R   (R 4.2.2, plm 2.6-2, lavaan 0.6-14)
suppressMessages({library(plm); library(lavaan); library(jsonlite)})
out <- list()

# --- difference and system GMM: EmplUK (Arellano & Bond 1991; in plm, GPL) ----------------------------------------------
data("EmplUK", package = "plm")
write.csv(EmplUK, "empl_uk.csv", row.names = FALSE)
panel <- pdata.frame(EmplUK, index = c("firm", "year"))
take <- function(m) {
  two <- m$args$model == "twosteps"
  b <- if (two) m$coefficients[[2]] else m$coefficients
  robust <- vcovHC(m)
  list(names = names(b), estimate = as.numeric(b), se = as.numeric(sqrt(diag(vcov(m)))),
       robust = as.numeric(sqrt(diag(robust))),
       hansen = as.numeric(sargan(m, "twosteps")$statistic), df = as.numeric(sargan(m, "twosteps")$parameter),
       # the matrix, not the function: given a function, plm 2.6-2 takes it for the plain covariance too
       ar1 = as.numeric(mtest(m, 1, vcov = robust)$statistic), ar2 = as.numeric(mtest(m, 2, vcov = robust)$statistic),
       instruments = ncol(m$W[[1]]))
}
# Arellano & Bond's table 4, column (b): two lags of employment, period effects
ab <- log(emp) ~ lag(log(emp), 1:2) + lag(log(wage), 0:1) + log(capital) + lag(log(output), 0:1) | lag(log(emp), 2:99)
out$ab_two <- take(pgmm(ab, panel, effect = "twoways", model = "twosteps"))
out$ab_one <- take(pgmm(ab, panel, effect = "twoways", model = "onestep"))
out$ab_collapsed <- take(pgmm(ab, panel, effect = "twoways", model = "twosteps", collapse = TRUE))
# Blundell & Bond's system
bb <- log(emp) ~ lag(log(emp), 1) + lag(log(wage), 0:1) + lag(log(capital), 0:1) |
  lag(log(emp), 2:99) + lag(log(wage), 2:99) + lag(log(capital), 2:99)
out$bb_one <- take(pgmm(bb, panel, effect = "twoways", model = "onestep", transformation = "ld"))
out$bb_two <- take(pgmm(bb, panel, effect = "twoways", model = "twosteps", transformation = "ld"))
out$bb_collapsed <- take(pgmm(bb, panel, effect = "twoways", model = "twosteps", transformation = "ld", collapse = TRUE))

# --- half-panel jackknife (Dhaene & Jochmans 2015), by hand from three within estimates ---------------------------------
# Firms with 8 years give halves of 4; an odd number of years is cut at both places and the mean is taken.
E <- EmplUK[order(EmplUK$firm, EmplUK$year), ]
within <- function(d) coef(plm(log(emp) ~ log(wage) + log(capital), pdata.frame(d, index = c("firm", "year")), model = "within"))
halves <- function(cut) {
  k <- ave(E$year, E$firm, FUN = seq_along); n <- ave(E$year, E$firm, FUN = length)
  first <- k <= cut(n / 2)
  (within(E[first, ]) + within(E[!first, ])) / 2
}
out$jackknife <- list(fixed = as.numeric(within(E)),
                      halves = as.numeric((halves(floor) + halves(ceiling)) / 2))
out$jackknife$estimate <- 2 * out$jackknife$fixed - out$jackknife$halves

# --- dynamic panel model by SEM: WageData (Cornwell & Rupert 1988; `Wages` in plm, GPL) ---------------------------------
# As dpm(wks ~ pre(lag(union)) + lag(lwage) | ed, error.inv = TRUE, information = "observed") writes it.
data("Wages", package = "plm")
W <- data.frame(id = rep(1:595, each = 7), t = rep(1:7, 595), wks = Wages$wks,
                union = as.integer(Wages$union == "yes"), lwage = Wages$lwage, ed = Wages$ed)
write.csv(W, "wages.csv", row.names = FALSE)
wide <- reshape(W, idvar = c("id", "ed"), timevar = "t", direction = "wide", sep = "_")
dynamic <- function(T, y, pre, exo, fixed, same, last) {
  lines <- c()
  for (t in 2:T) {
    rhs <- c(sprintf("phi*%s_%d", y, t - 1), sprintf("b_%s*%s_%d", pre, pre, t - 1), sprintf("b_%s*%s_%d", exo, exo, t - 1),
             sprintf("b_%s*%s", fixed, fixed))
    lines <- c(lines, sprintf("%s_%d ~ %s", y, t, paste(rhs, collapse = " + ")), sprintf("%s_%d ~~ v*%s_%d", y, t, y, t))
    later <- if (same && t <= last) t:last else if (same) c() else if (t < last) (t + 1):last else c()
    if (length(later)) lines <- c(lines, sprintf("%s_%d ~~ %s", y, t, paste0(pre, "_", later, collapse = " + ")))
  }
  known <- c(paste0(y, "_1"), paste0(pre, "_", 1:last), if (length(exo)) paste0(exo, "_", 1:last), fixed)
  free <- setdiff(known, fixed)
  c(sprintf("alpha =~ %s", paste0("1*", y, "_", 2:T, collapse = " + ")), lines,
    sprintf("alpha ~~ %s", paste(free, collapse = " + ")), if (length(fixed)) sprintf("alpha ~~ 0*%s", fixed), "alpha ~~ alpha",
    unlist(lapply(seq_along(known), function(i) sprintf("%s ~~ %s", known[i], paste(known[i:length(known)], collapse = " + ")))),
    sprintf("%s ~ 1", known), sprintf("%s_%d ~ 1", y, 2:T))
}
tight <- list(rel.tol = 1e-10, iter.max = 20000, eval.max = 20000)
told <- function(m, what) { p <- parameterEstimates(m); p <- p[match(what, p$label), ]
  f <- fitMeasures(m, c("chisq", "df", "logl"))
  list(names = what, estimate = p$est, se = p$se, chi2 = unname(f["chisq"]), df = unname(f["df"]), log_likelihood = unname(f["logl"])) }
wage <- lavaan(dynamic(7, "wks", "union", "lwage", "ed", FALSE, 6), data = wide, information = "observed", control = tight)
out$wages <- told(wage, c("phi", "b_union", "b_lwage", "b_ed"))

# --- two measures, made here: levels, carry-over, effects both ways, same-session correlation, t-distributed shocks ------
set.seed(20261129)
n <- 250; T <- 6
m <- 1.5 * rnorm(n); r <- -.3 * m + rnorm(n)
d <- matrix(rt(2 * n, 8), n); frames <- list()
for (t in 1:T) {
  frames[[t]] <- data.frame(id = 1:n, t = t, x = m + .1 * t + d[, 1], y = r - .2 * t + d[, 2])
  e <- matrix(rt(2 * n, 8), n); e[, 2] <- -.3 * e[, 1] + e[, 2]
  d <- cbind(.35 * d[, 1] - .10 * d[, 2], -.20 * d[, 1] + .45 * d[, 2]) + e
}
S <- do.call(rbind, frames)
gone <- pmin(T, 2 + rgeom(n, .12)); S <- S[S$t <= gone[S$id], ]       # clients leave
S$x[runif(nrow(S)) < .08] <- NA; S$y[runif(nrow(S)) < .08] <- NA      # single forms are missing
S <- S[order(S$id, S$t), ]
write.csv(S, "sessions.csv", row.names = FALSE, na = "")
two <- reshape(S, idvar = "id", timevar = "t", direction = "wide", sep = "_")
model <- dynamic(T, "y", "x", NULL, NULL, TRUE, T - 1)
model <- gsub("\\+ b_\\*|\\+ b_[*_0-9NA]+ ", "", model)
fit <- lavaan(model, data = two, missing = "fiml", information = "observed", control = tight)
out$dynamic <- told(fit, c("phi", "b_x"))

clpm <- c(sprintf("RIx =~ %s", paste0("1*x_", 1:T, collapse = " + ")), sprintf("RIy =~ %s", paste0("1*y_", 1:T, collapse = " + ")),
  "RIx ~~ RIx + RIy", "RIy ~~ RIy",
  unlist(lapply(1:T, function(t) c(sprintf("wx%d =~ 1*x_%d", t, t), sprintf("wy%d =~ 1*y_%d", t, t),
    sprintf("wx%d ~~ wx%d + wy%d", t, t, t), sprintf("wy%d ~~ wy%d", t, t), sprintf("x_%d ~ 1", t), sprintf("y_%d ~ 1", t)))),
  unlist(lapply(2:T, function(t) c(sprintf("wx%d ~ xx*wx%d + xy*wy%d", t, t - 1, t - 1),
    sprintf("wy%d ~ yx*wx%d + yy*wy%d", t, t - 1, t - 1)))))
fit <- lavaan(clpm, data = two, missing = "fiml", information = "observed", control = tight)
out$random_intercepts <- told(fit, c("yx", "xy", "xx", "yy"))
free <- gsub("(xx|xy|yx|yy)\\*", "", clpm)
fit <- lavaan(free, data = two, missing = "fiml", information = "observed", control = tight)
f <- fitMeasures(fit, c("chisq", "df", "logl"))
out$random_intercepts_free <- list(chi2 = unname(f["chisq"]), df = unname(f["df"]), log_likelihood = unname(f["logl"]))

writeLines(toJSON(out, auto_unbox = TRUE, digits = 10, pretty = TRUE), "references.json")
