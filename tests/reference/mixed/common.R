# Shared by the scripts of this folder: tight fits, and one JSON layout for all engines.
#
# Each script is called as `Rscript <topic>.R [output folder]` and writes its CSV fixtures and
# `<topic>.json`. Numbers are written with 15 significant digits (jsonlite's "full precision").
suppressPackageStartupMessages({
  library(jsonlite)
  library(lme4)
  library(nlme)
})
options(contrasts = c("contr.treatment", "contr.treatment"), digits = 15)

out_dir <- local({
  args <- commandArgs(trailingOnly = TRUE)
  if (length(args)) args[[1]] else "."
})

write_data <- function(frame, name) {
  # Values are written with 15 significant digits; the fits below use the frame as it is read back,
  # so that R and the engine see the same bits.
  path <- file.path(out_dir, name)
  write.csv(frame, path, row.names = FALSE, quote = FALSE)
  read.csv(path, stringsAsFactors = TRUE)
}

write_cases <- function(cases, topic, pretty = 1) {
  body <- list(
    made_by = paste0(topic, ".R"),
    r = paste(R.version$major, R.version$minor, sep = "."),
    packages = lapply(
      setNames(nm = intersect(
        c("lme4", "nlme", "lmerTest", "pbkrtest", "clubSandwich", "HSAUR3"), loadedNamespaces()
      )),
      function(p) as.character(packageVersion(p))
    ),
    cases = cases
  )
  writeLines(
    toJSON(body, digits = NA, auto_unbox = TRUE, null = "null", na = "null", pretty = pretty),
    file.path(out_dir, paste0(topic, ".json"))
  )
}

# What the engine is asked: the same words as the arguments of `fit_mixed`.
question <- function(case, data, outcome, fixed, random, residual = "iid", residual_time = NULL,
                     residual_by = NULL, method = "REML") {
  list(
    case = case, data = data, outcome = outcome, fixed = I(fixed),
    random = lapply(seq_along(random), function(k) {
      list(level = names(random)[[k]], terms = I(random[[k]]))
    }),
    residual = residual, residual_time = residual_time, residual_by = residual_by, method = method
  )
}

# ---------------------------------------------------------------------------------- lme4
lmer_tight <- function(formula, data, REML = TRUE) {
  # Several optimisers, each restarted from its own end, and the highest likelihood wins; so an
  # optimiser that stops early (lme4 calls three of them routinely) cannot set the reference.
  controls <- list(
    lmerControl("bobyqa", calc.derivs = FALSE,
                optCtrl = list(rhoend = 1e-10, maxfun = 1e5)),
    lmerControl("nlminbwrap", calc.derivs = FALSE,
                optCtrl = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 1e4, eval.max = 1e4)),
    lmerControl("nloptwrap", calc.derivs = FALSE,
                optCtrl = list(algorithm = "NLOPT_LN_NELDERMEAD", xtol_abs = 1e-12,
                               xtol_rel = 1e-12, ftol_abs = 1e-13, maxeval = 1e5))
  )
  best <- NULL
  for (control in controls) {
    control$checkControl$check.conv.singular <- list(action = "ignore", tol = 1e-4)
    # The arguments go in as values: lmerTest and pbkrtest evaluate the call again elsewhere.
    arguments <- list(formula = formula, data = data, REML = REML, control = control)
    fit <- suppressWarnings(do.call(lme4::lmer, arguments))
    for (again in 1:2) {
      arguments$start <- getME(fit, "theta")
      fit <- suppressWarnings(do.call(lme4::lmer, arguments))
    }
    if (is.null(best) || logLik(fit) > logLik(best)) best <- fit
  }
  best
}

# Lower triangle of one covariance matrix as rows: level, row, column (1-based), value.
triangle <- function(level, covariance) {
  rows <- list()
  for (i in seq_len(nrow(covariance))) for (j in seq_len(i)) {
    rows[[length(rows) + 1]] <- list(level = level, row = i, column = j, value = covariance[i, j])
  }
  rows
}

lmer_numbers <- function(fit, level_of_group) {
  covariances <- VarCorr(fit)
  list(
    engine = paste("lme4", packageVersion("lme4")),
    log_likelihood = as.numeric(logLik(fit)),
    n_parameters = attr(logLik(fit), "df"),
    aic = AIC(fit),
    terms = I(names(fixef(fit))),
    estimates = I(unname(fixef(fit))),
    standard_errors = I(unname(sqrt(diag(as.matrix(vcov(fit)))))),
    covariances = do.call(c, lapply(names(level_of_group), function(group) {
      triangle(level_of_group[[group]], as.matrix(covariances[[group]]))
    })),
    residual_variance = sigma(fit)^2,
    fitted = if (nobs(fit) <= 320) I(unname(fitted(fit))) else NULL
  )
}

# Conditional modes and their standard deviations, one row per group and effect.
lmer_modes <- function(fit, level_of_group) {
  table <- as.data.frame(ranef(fit, condVar = TRUE))
  lapply(seq_len(nrow(table)), function(k) {
    list(level = level_of_group[[as.character(table$grpvar[k])]], group = as.character(table$grp[k]),
         term = as.character(table$term[k]), mode = table$condval[k], sd = table$condsd[k])
  })
}

# ---------------------------------------------------------------------------------- nlme
lme_tight <- function(fixed, random, data, method, correlation = NULL, weights = NULL) {
  # nlme stops up to 1e-8 below its optimum; started again from its own end, by one optimiser and
  # then another, without EM steps, it gets there. The highest likelihood wins.
  run <- function(random, correlation, weights, niterEM, ...) {
    arguments <- list(
      fixed = fixed, random = random, data = data, method = method, correlation = correlation,
      weights = weights,
      control = lmeControl(maxIter = 1000, msMaxIter = 1000, msMaxEval = 5000, niterEM = niterEM,
                           tolerance = 1e-13, msTol = 1e-14, returnObject = TRUE, ...)
    )
    do.call(lme, arguments)
  }
  best <- run(random, correlation, weights, 50, opt = "nlminb")
  for (method_of_optim in c("BFGS", "Nelder-Mead", "BFGS", "Nelder-Mead")) {
    end <- best$modelStruct
    # nlme keeps the innermost level first, its argument wants it last
    start <- lapply(rev(as.list(end$reStruct)), function(part) {
      match.fun(class(part)[1])(as.matrix(part), form = formula(part))
    })
    if (!is.null(correlation)) {
      correlation <- if (inherits(end$corStruct, "corCAR1")) {
        corCAR1(coef(end$corStruct, unconstrained = FALSE), form = formula(end$corStruct))
      } else {
        corAR1(coef(end$corStruct, unconstrained = FALSE), form = formula(end$corStruct))
      }
    }
    if (!is.null(weights)) {
      weights <- varIdent(coef(end$varStruct, unconstrained = FALSE), form = formula(end$varStruct))
    }
    again <- try(
      run(start, correlation, weights, 0, opt = "optim", optimMethod = method_of_optim),
      silent = TRUE
    )
    if (!inherits(again, "try-error") && logLik(again) > logLik(best)) best <- again
  }
  best
}

lme_numbers <- function(fit, levels) {
  # `levels` outermost first, as in fit$modelStruct$reStruct reversed.
  structures <- rev(as.list(fit$modelStruct$reStruct))
  covariances <- do.call(c, lapply(seq_along(structures), function(k) {
    triangle(levels[[k]], as.matrix(structures[[k]]) * fit$sigma^2)
  }))
  correlation <- fit$modelStruct$corStruct
  weights <- fit$modelStruct$varStruct
  list(
    engine = paste("nlme", packageVersion("nlme")),
    log_likelihood = as.numeric(logLik(fit)),
    n_parameters = attr(logLik(fit), "df"),
    aic = AIC(fit),
    terms = I(names(fixef(fit))),
    estimates = I(unname(fixef(fit))),
    standard_errors = I(unname(sqrt(diag(vcov(fit))))),
    covariances = covariances,
    residual_variance = fit$sigma^2,
    phi = if (is.null(correlation)) NULL else
      unname(coef(correlation, unconstrained = FALSE)[[1]]),
    residual_variances = if (is.null(weights)) NULL else
      as.list((fit$sigma * coef(weights, unconstrained = FALSE, allCoef = TRUE))^2),
    fitted = if (nobs(fit) <= 320) I(as.numeric(fitted(fit))) else NULL
  )
}
