# Reference numbers of structural models from lavaan.
#
# Called as `Rscript sem.R [output folder]`; writes the CSV fixtures and `sem.json`. Models are
# exported from lavaan's parameter table, so that the tests read the very model that lavaan fitted.
suppressPackageStartupMessages({
  library(jsonlite)
  library(lavaan)
})
options(digits = 15, warn = 1)
out_dir <- local({
  args <- commandArgs(trailingOnly = TRUE)
  if (length(args)) args[[1]] else "."
})
write_data <- function(frame, name) {
  path <- file.path(out_dir, name)
  write.csv(frame, path, row.names = FALSE, quote = FALSE, na = "")
  read.csv(path)
}
EM <- 1e-10 # lavaan's EM of the saturated model stops at 1e-5 otherwise
# lavaan's default optimiser stops at a gradient of about 1e-6 and refuses tighter tolerances.
tight <- function(...) {
  cfa(..., optim.method = "BFGS", control = list(reltol = 1e-15, maxit = 10000))
}

# ---- what is written of a fit
entries_of <- function(fit) {
  table <- parTable(fit)
  if (is.null(table$group)) table$group <- 1L
  table <- table[table$op %in% c("=~", "~", "~~", "~1") & table$group > 0, ]
  equal <- parTable(fit)
  equal <- equal[equal$op == "==", ]
  label <- setNames(table$plabel, table$plabel)
  for (k in seq_len(nrow(equal))) label[label == label[equal$rhs[k]]] <- label[equal$lhs[k]]
  lapply(seq_len(nrow(table)), function(k) {
    row <- table[k, ]
    out <- list(op = row$op, lhs = row$lhs, rhs = row$rhs, group = row$group)
    if (!is.null(table$level)) out$level <- row$level
    if (row$free > 0) out$label <- unname(label[row$plabel]) else out$fixed <- row$ustart
    out$est <- row$est
    out$se <- row$se
    out
  })
}
MEASURES <- c("chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "cfi", "tli", "rmsea",
              "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "srmr", "logl", "aic", "bic",
              "npar", "ntotal")
SCALED <- c("chisq.scaled", "chisq.scaling.factor", "baseline.chisq.scaling.factor", "cfi.scaled",
            "tli.scaled", "rmsea.scaled", "cfi.robust", "tli.robust", "rmsea.robust",
            "rmsea.ci.lower.robust", "rmsea.ci.upper.robust")
measures_of <- function(fit, robust) {
  have <- fitMeasures(fit)
  as.list(have[intersect(if (robust) c(MEASURES, SCALED) else MEASURES, names(have))])
}
cases <- list()
add <- function(name, data, fit_with, estimator, ...) {
  fit <- fit_with(estimator)
  robust <- estimator == "MLR"
  standard <- standardizedSolution(fit, se = FALSE)
  cases[[length(cases) + 1]] <<- c(list(
    case = name, data = data, se = if (robust) "robust" else "observed",
    observed = I(lavNames(fit, "ov")), latent = I(lavNames(fit, "lv")),
    groups = I(as.character(lavInspect(fit, "group.label"))),
    entries = entries_of(fit), measures = measures_of(fit, robust),
    standardised = standard$est.std[standard$op != ":="]
  ), list(...))
  invisible(fit)
}

# ---- Holzinger & Swineford (1939)
hs <- HolzingerSwineford1939[c("school", paste0("x", 1:9))]
hs <- write_data(hs, "holzinger_swineford.csv")
three <- "
  visual  =~ x1 + x2 + x3
  textual =~ x4 + x5 + x6
  speed   =~ x7 + x8 + x9
"
run_cfa <- function(data, ...) {
  function(estimator) {
    tight(three, data, estimator = estimator, information = "observed", em.h1.tol = EM,
        em.h1.iter.max = 10000L, meanstructure = TRUE, ...)
  }
}
for (estimator in c("ML", "MLR")) {
  fit <- add(paste("hs", estimator), "holzinger_swineford.csv", run_cfa(hs), estimator)
}
modification <- modindices(run_cfa(hs)("ML"))
modification <- modification[modification$op %in% c("=~", "~~"), c("lhs", "op", "rhs", "mi", "epc")]

hs_missing <- local({
  out <- hs
  set.seed(1939)
  for (item in paste0("x", 1:9)) out[sample(nrow(out), 30), item] <- NA
  out$x9[out$x8 > 6.2 & !is.na(out$x8)] <- NA # missing at random: what is known decides
  out[5, paste0("x", 1:9)] <- NA # a row without any answer
  write_data(out, "holzinger_swineford_missing.csv")
})
for (estimator in c("ML", "MLR")) {
  add(paste("hs missing", estimator), "holzinger_swineford_missing.csv",
      run_cfa(hs_missing, missing = "ml"), estimator)
}
steps <- list(configural = "", metric = "loadings",
              scalar = c("loadings", "intercepts"),
              strict = c("loadings", "intercepts", "residuals"))
invariance <- list()
for (set in c("complete", "missing")) {
  data <- if (set == "complete") hs else hs_missing
  fits <- lapply(steps, function(equal) {
    run_cfa(data, group = "school", group.equal = equal,
            missing = if (set == "complete") "listwise" else "ml")
  })
  for (step in names(steps)) {
    file <- if (set == "complete") "holzinger_swineford.csv" else "holzinger_swineford_missing.csv"
    add(paste("hs", set, step), file, fits[[step]], "MLR")
  }
  fitted <- lapply(fits, function(f) f("MLR"))
  test <- lavTestLRT(fitted[[1]], fitted[[2]], fitted[[3]], fitted[[4]],
                     method = "satorra.bentler.2001")
  invariance[[set]] <- list(
    steps = lapply(fitted, function(f) as.list(fitMeasures(f, c("chisq", "df", "cfi", "rmsea")))),
    scaled_difference = test[["Chisq diff"]][-1], difference_df = test[["Df diff"]][-1],
    difference_p = test[["Pr(>Chisq)"]][-1]
  )
}
scalar <- run_cfa(hs, group = "school", group.equal = c("loadings", "intercepts"))("ML")
release <- lavTestScore(scalar)$uni
table <- parTable(scalar)
release$item <- table$lhs[match(release$lhs, table$plabel)]
release$op <- table$op[match(release$lhs, table$plabel)]
release <- release[release$op == "~1", c("item", "X2")]

# ---- industrialisation and political democracy (Bollen 1989)
democracy <- write_data(PoliticalDemocracy, "political_democracy.csv")
bollen <- "
  ind60 =~ x1 + x2 + x3
  dem60 =~ y1 + a*y2 + b*y3 + c*y4
  dem65 =~ y5 + a*y6 + b*y7 + c*y8
  dem60 ~ ind60
  dem65 ~ ind60 + dem60
  y1 ~~ y5
  y2 ~~ y4 + y6
  y3 ~~ y7
  y4 ~~ y8
  y6 ~~ y8
"
democracy_missing <- local({
  out <- democracy
  set.seed(1960)
  for (item in names(out)) out[sample(nrow(out), 5), item] <- NA
  write_data(out, "political_democracy_missing.csv")
})
for (estimator in c("ML", "MLR")) {
  add(paste("democracy", estimator), "political_democracy.csv", function(e) {
    tight(bollen, democracy, estimator = e, information = "observed", meanstructure = TRUE)
  }, estimator)
  add(paste("democracy missing", estimator), "political_democracy_missing.csv", function(e) {
    tight(bollen, democracy_missing, estimator = e, missing = "ml", em.h1.tol = EM,
        em.h1.iter.max = 10000L)
  }, estimator)
}

# ---- growth with a predictor and a time-varying covariate, dropout and sporadic gaps (simulated)
growth_data <- local({
  set.seed(16)
  n <- 400
  x <- rnorm(n)
  level <- 15 + 0.8 * x + rnorm(n, sd = 4)
  slope <- -0.4 + 0.1 * x - 0.02 * (level - 15) + rnorm(n, sd = 0.3)
  covariate <- matrix(rnorm(n * 6), n)
  y <- sapply(0:5, function(t) level + slope * t + 0.5 * covariate[, t + 1] + rt(n, 5) * 2)
  last <- pmin(rgeom(n, 0.12), 5)
  for (t in 1:5) y[last < t, t + 1] <- NA
  y[matrix(runif(n * 6) < 0.05, n)] <- NA
  frame <- as.data.frame(round(cbind(y, covariate, x), 6))
  names(frame) <- c(paste0("y", 0:5), paste0("c", 0:5), "x")
  write_data(frame, "growth.csv")
})
curve <- "
  i =~ 1*y0 + 1*y1 + 1*y2 + 1*y3 + 1*y4 + 1*y5
  s =~ 0*y0 + 1*y1 + 2*y2 + 3*y3 + 4*y4 + 5*y5
"
conditional <- paste(curve, "
  i ~ x
  s ~ x
  x ~ 1
  c0 + c1 + c2 + c3 + c4 + c5 ~ 1
  y0 ~ g*c0
  y1 ~ g*c1
  y2 ~ g*c2
  y3 ~ g*c3
  y4 ~ g*c4
  y5 ~ g*c5
")
for (estimator in c("ML", "MLR")) {
  add(paste("growth", estimator), "growth.csv", function(e) {
    growth(curve, growth_data, estimator = e, missing = "ml", em.h1.tol = EM,
           em.h1.iter.max = 10000L)
  }, estimator)
  add(paste("conditional growth", estimator), "growth.csv", function(e) {
    growth(conditional, growth_data, estimator = e, missing = "ml", fixed.x = FALSE,
           em.h1.tol = EM, em.h1.iter.max = 10000L)
  }, estimator)
}
# lavaan's own example, as moments per pattern of missing values
demo <- Demo.growth[c("t1", "t2", "t3", "t4")]
set.seed(4)
demo$t4[runif(400) < 0.3] <- NA
demo$t3[is.na(demo$t4) & runif(400) < 0.4] <- NA
demo$t2[runif(400) < 0.05] <- NA
pattern <- apply(!is.na(demo), 1, function(seen) paste(as.integer(seen), collapse = ""))
patterns <- lapply(sort(unique(pattern)), function(p) {
  seen <- which(strsplit(p, "")[[1]] == "1")
  rows <- as.matrix(demo[pattern == p, seen, drop = FALSE])
  centred <- sweep(rows, 2, colMeans(rows))
  list(columns = I(seen - 1), n = nrow(rows), mean = I(unname(colMeans(rows))),
       cov = I(c(crossprod(centred)) / nrow(rows)))
})
add("Demo.growth ML", NULL, function(e) {
  growth("i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4", demo, estimator = e,
         missing = "ml", em.h1.tol = EM, em.h1.iter.max = 10000L)
}, "ML", patterns = patterns)

# ---- one scale at three sessions, clients leave (simulated)
sessions_data <- local({
  set.seed(34)
  n <- 350
  root <- chol(matrix(0.5, 3, 3) + diag(0.5, 3))
  factor <- matrix(rnorm(n * 3), n) %*% root
  own <- matrix(rnorm(n * 4, sd = 0.4), n)
  y <- do.call(cbind, lapply(1:3, function(s) {
    loading <- c(0.8, 0.7, if (s == 3) 0.4 else 0.7, 0.6)
    shift <- c(0, if (s == 2) 0.4 else 0, 0, 0) + 0.2 * s
    3 + rep(shift, each = n) + factor[, s] %o% loading + own + matrix(rnorm(n * 4, sd = 0.5), n)
  }))
  y[matrix(runif(n * 12) < 0.02, n)] <- NA
  left <- runif(n)
  y[left < 0.30, 9:12] <- NA
  y[left < 0.15, 5:12] <- NA
  frame <- as.data.frame(round(y, 6))
  names(frame) <- paste0("i", 1:4, "_", rep(1:3, each = 4))
  write_data(frame, "sessions.csv")
})
longitudinal <- function(step) {
  item <- function(i, s) paste0("i", i, "_", s)
  level <- match(step, names(steps))
  lines <- character(0)
  for (s in 1:3) {
    tag <- function(what, i, from) paste0(what, i, if (level >= from) "" else paste0("_", s), "*")
    lines <- c(lines, paste0("f", s, " =~ NA*", item(1, s), " + ",
                             paste0(tag("l", 1:4, 2), item(1:4, s), collapse = " + ")))
    lines <- c(lines, paste0(item(1:4, s), " ~ ", tag("m", 1:4, 3), "1"))
    lines <- c(lines, paste0(item(1:4, s), " ~~ ", tag("e", 1:4, 4), item(1:4, s)))
    free <- if (s > 1 && level >= 2) "NA" else "1"
    lines <- c(lines, paste0("f", s, " ~~ ", free, "*f", s))
    lines <- c(lines, paste0("f", s, " ~ ", if (s > 1 && level >= 3) "NA" else "0", "*1"))
  }
  for (i in 1:4) {
    lines <- c(lines, paste(item(i, 1), "~~", item(i, 2), "+", item(i, 3)))
    lines <- c(lines, paste(item(i, 2), "~~", item(i, 3)))
  }
  paste(lines, collapse = "\n")
}
over_sessions <- lapply(setNames(nm = names(steps)), function(step) {
  fit <- tight(longitudinal(step), sessions_data, missing = "ml", estimator = "MLR", em.h1.tol = EM,
             em.h1.iter.max = 10000L)
  as.list(fitMeasures(fit, c("chisq", "df", "cfi", "rmsea", "srmr", "chisq.scaled", "npar")))
})

# ---- rows in clusters: sandwich over clusters, and two-level models (lavaan's example, as moments)
two_level <- Demo.twolevel[c("y1", "y2", "y3", "cluster")]
clusters <- lapply(split(two_level[1:3], two_level$cluster), function(rows) {
  rows <- as.matrix(rows)
  centred <- sweep(rows, 2, colMeans(rows))
  list(size = nrow(rows), mean = I(unname(colMeans(rows))), scatter = I(c(crossprod(centred))))
})
run_two_level <- function(model) {
  function(e) {
    tight(model, two_level, cluster = "cluster", estimator = e)
  }
}
free_loadings <- "
  level: 1
    fw =~ NA*y1 + l1*y1 + l2*y2 + l3*y3
    fw ~~ 1*fw
    y1 ~~ e1*y1
    y2 ~~ e2*y2
    y3 ~~ e3*y3
  level: 2
    fb =~ NA*y1 + b1*y1 + b2*y2 + b3*y3
    fb ~~ 1*fb
    y1 ~~ r1*y1
    y2 ~~ r2*y2
    y3 ~~ r3*y3
  omega_w := (l1 + l2 + l3)^2 / ((l1 + l2 + l3)^2 + e1 + e2 + e3)
  omega_b := (b1 + b2 + b3)^2 / ((b1 + b2 + b3)^2 + r1 + r2 + r3)
"
size <- table(two_level$cluster)
harmonic <- length(size) / sum(1 / size)
equal_loadings <- sprintf("
  level: 1
    fw =~ NA*y1 + l1*y1 + l2*y2 + l3*y3
    fw ~~ 1*fw
    y1 ~~ e1*y1
    y2 ~~ e2*y2
    y3 ~~ e3*y3
  level: 2
    fb =~ NA*y1 + l1*y1 + l2*y2 + l3*y3
    fb ~~ v*fb
    y1 ~~ r1*y1
    y2 ~~ r2*y2
    y3 ~~ r3*y3
  within_equal := (l1 + l2 + l3)^2 / ((l1 + l2 + l3)^2 + e1 + e2 + e3)
  single_form := (l1 + l2 + l3)^2 * (1 + v) /
    ((l1 + l2 + l3)^2 * (1 + v) + e1 + e2 + e3 + r1 + r2 + r3)
  between := (l1 + l2 + l3)^2 * v /
    ((l1 + l2 + l3)^2 * v + r1 + r2 + r3 + (e1 + e2 + e3 + (l1 + l2 + l3)^2) / %.15f)
", harmonic)
shared <- sprintf("
  level: 1
    y1 ~~ c11*y1 + c12*y2 + c13*y3
    y2 ~~ c22*y2 + c23*y3
    y3 ~~ c33*y3
  level: 2
    fb =~ NA*y1 + b1*y1 + b2*y2 + b3*y3
    fb ~~ 1*fb
    y1 ~~ r1*y1
    y2 ~~ r2*y2
    y3 ~~ r3*y3
  between_shared := (b1 + b2 + b3)^2 / ((b1 + b2 + b3)^2 + r1 + r2 + r3 +
    (c11 + c22 + c33 + 2 * (c12 + c13 + c23)) / %.15f)
", harmonic)
saturated <- run_two_level("
  level: 1
    y1 ~~ y1 + y2 + y3
    y2 ~~ y2 + y3
    y3 ~~ y3
  level: 2
    y1 ~~ y1 + y2 + y3
    y2 ~~ y2 + y3
    y3 ~~ y3
")("ML")
# Chi-square and SRMR against a saturated model that has converged: lavaan's own EM stops at a change
# of 1e-4 in its log-likelihood, whatever the options say.
against_saturated <- function(fit) {
  apart <- mapply(function(a, b) {
    d <- cov2cor(a) - cov2cor(b)
    sqrt(mean(d[lower.tri(d, diag = TRUE)]^2))
  }, lapply(fitted(saturated), `[[`, "cov"), lapply(fitted(fit), `[[`, "cov"))
  chisq <- 2 * as.numeric(logLik(saturated) - logLik(fit))
  df <- fitMeasures(fit, "df")[[1]]
  list(srmr = sum(apart), chisq = chisq,
       pvalue = if (df > 0) pchisq(chisq, df, lower.tail = FALSE) else NA)
}
two_level_fits <- list()
omegas <- list()
for (name in c("free_loadings", "equal_loadings", "shared")) {
  for (estimator in c("ML", "MLR")) {
    fit <- run_two_level(get(name))(estimator)
    two_level_fits[[length(two_level_fits) + 1]] <- list(
      case = paste(name, estimator), se = if (estimator == "MLR") "robust" else "observed",
      observed = I(lavNames(fit, "ov")), latent = I(lavNames(fit, "lv")),
      entries = entries_of(fit),
      measures = modifyList(measures_of(fit, estimator == "MLR"), against_saturated(fit))
    )
    table <- parameterEstimates(fit)
    table <- table[table$op == ":=", ]
    if (estimator == "ML") for (k in seq_len(nrow(table))) {
      omegas[[table$lhs[k]]] <- list(est = table$est[k], se = table$se[k])
    }
  }
}
in_clusters <- local({
  # simulated, so that the rows may be written down
  set.seed(12)
  person <- rep(1:60, times = sample(2:9, 60, replace = TRUE))
  n <- length(person)
  trait <- rnorm(60)[person] + rnorm(n)
  frame <- data.frame(person = person, round(sapply(c(0.9, 0.8, 0.7, 0.6), function(l) {
    l * trait + rnorm(60, sd = 0.3)[person] + rnorm(n, sd = 0.7)
  }), 6))
  names(frame)[-1] <- paste0("y", 1:4)
  frame$y4[runif(n) < 0.1] <- NA
  write_data(frame, "clusters.csv")
})
add("clusters MLR", "clusters.csv", function(e) {
  tight("f =~ y1 + y2 + y3 + y4", in_clusters, cluster = "person", estimator = e, missing = "ml",
      em.h1.tol = EM, em.h1.iter.max = 10000L)
}, "MLR", clusters = "person")

# two levels with missing answers; lavaan's BFGS does not converge here and its robust standard errors
# are not finite (0.6-14), so: default optimiser, observed information
incomplete <- local({
  fit <- sem("
    level: 1
      fw =~ y1 + y2 + y3 + y4
    level: 2
      fb =~ y1 + y2 + y3 + y4
  ", in_clusters, cluster = "person", missing = "ml")
  list(case = "incomplete", se = "observed", observed = I(lavNames(fit, "ov")),
       latent = I(lavNames(fit, "lv")), entries = entries_of(fit),
       measures = measures_of(fit, FALSE))
})

body <- list(
  made_by = "sem.R", r = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(lavaan = as.character(packageVersion("lavaan"))),
  cases = cases, invariance = invariance,
  over_sessions = over_sessions, score_tests = list(
    modification = modification, scalar_release = release
  ),
  two_level = list(clusters = unname(clusters), fits = two_level_fits, omegas = omegas, incomplete = incomplete,
                   harmonic_mean_size = harmonic)
)
writeLines(toJSON(body, auto_unbox = TRUE, digits = NA, pretty = 1, na = "null", null = "null"),
           file.path(out_dir, "sem.json"))
