# Several outcomes at once: nlme on stacked rows. One row per measured outcome; dummies for the
# outcomes carry the fixed and random effects, varIdent the residual variances, corSymm within a
# session the residual correlations.
source("common.R")
suppressPackageStartupMessages(library(survival))

# ---------------------------------------------------------------------------------- data
draw <- function(n, covariance) matrix(rnorm(n * nrow(covariance)), n) %*% chol(covariance)

cohort <- function(seed, therapists, clients, sessions, missing) {
  set.seed(seed)
  client <- rep(seq_len(therapists * clients), each = sessions)
  therapist <- (client - 1) %/% clients + 1
  week <- rep(seq_len(sessions) - 1, therapists * clients)
  v <- draw(therapists, matrix(c(0.8, -0.4, -0.4, 1.5), 2))[therapist, ]
  u <- draw(therapists * clients, rbind(
    c(1, 0.1, -0.8, -0.1), c(0.1, 0.25, -0.1, -0.2), c(-0.8, -0.1, 4, 0.3), c(-0.1, -0.2, 0.3, 0.5)
  ))[client, ]
  e <- draw(length(client), matrix(c(1, -0.6, -0.6, 2), 2))
  x <- rnorm(therapists * clients)[client]
  data <- data.frame(
    therapist, client, week, x = round(x, 3),
    alliance = round(5 + v[, 1] + u[, 1] + (0.2 + u[, 2]) * week + 0.5 * x + e[, 1], 3),
    symptoms = round(20 + v[, 2] + u[, 3] + (u[, 4] - 0.7) * week + e[, 2], 3)
  )
  for (outcome in c("alliance", "symptoms")) {
    data[runif(nrow(data)) < missing, outcome] <- NA
  }
  data
}
grown <- write_data(cohort(20240301, 20, 5, 6, 0), "several_complete.csv")
gaps <- write_data(cohort(20240302, 25, 6, 6, 0.2), "several_gaps.csv")

# Mayo Clinic's primary biliary cholangitis trial, repeated visits (survival::pbcseq; Murtaugh et
# al. 1994): two blood values that drift together, the second missing at some visits; three with
# a third one. Visits with neither stay in the file and have to be left out.
visits <- with(survival::pbcseq, data.frame(
  patient = id, year = round(day / 365.25, 4), log_bilirubin = round(log(bili), 4), albumin,
  log_platelets = round(log(platelet), 4)
))
visits <- write_data(visits[visits$patient <= 120, ], "several_pbc.csv")

stacked <- function(data, outcomes) {
  parts <- lapply(seq_along(outcomes), function(k) {
    part <- data
    part$row <- seq_len(nrow(data))
    part$which <- k
    part$value <- data[[outcomes[[k]]]]
    part
  })
  long <- do.call(rbind, parts)
  long <- long[!is.na(long$value), ]
  long <- long[order(long$row, long$which), ]
  for (k in seq_along(outcomes)) long[[paste0("o", k)]] <- as.numeric(long$which == k)
  long
}

# ---------------------------------------------------------------------------------- fits
several_tight <- function(fixed, random, within, long, method) {
  # As lme_tight: started again from its own end by other optimisers; the highest wins.
  run <- function(random, correlation, weights, niterEM, ...) {
    do.call(lme, list(
      fixed = fixed, random = random, data = long, method = method, correlation = correlation,
      weights = weights,
      control = lmeControl(maxIter = 1000, msMaxIter = 1000, msMaxEval = 5000, niterEM = niterEM,
                           tolerance = 1e-13, msTol = 1e-14, returnObject = TRUE,
                           # steps of the numerical Hessian: the default drowns in rounding
                           .relStep = 2e-4, ...)
    ))
  }
  best <- run(random, corSymm(form = within), varIdent(form = ~ 1 | which), 50, opt = "nlminb")
  for (again in c("BFGS", "Nelder-Mead", "nlminb", "BFGS")) {
    end <- best$modelStruct
    start <- lapply(rev(as.list(end$reStruct)), function(part) {
      match.fun(class(part)[1])(as.matrix(part), form = formula(part))
    })
    correlation <- corSymm(coef(end$corStruct, unconstrained = FALSE), form = within)
    weights <- varIdent(coef(end$varStruct, unconstrained = FALSE), form = ~ 1 | which)
    arguments <- if (again == "nlminb") list(opt = "nlminb") else
      list(opt = "optim", optimMethod = again)
    next_fit <- try(
      do.call(run, c(list(start, correlation, weights, 0), arguments)), silent = TRUE
    )
    if (!inherits(next_fit, "try-error") && logLik(next_fit) > logLik(best)) best <- next_fit
  }
  best
}

residual_matrix <- function(fit, outcomes) {
  q <- length(outcomes)
  correlation <- diag(q)
  correlation[lower.tri(correlation)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  correlation <- correlation + t(correlation) - diag(q)
  ratio <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)
  sd <- fit$sigma * ratio[as.character(seq_len(q))]
  unname(diag(sd) %*% correlation %*% diag(sd))
}

# Wald intervals of the correlations on Fisher's z (nlme's own, from a numerical Hessian), by the
# engine's names of the two effects.
correlation_intervals <- function(fit, outcomes) {
  ours <- function(name) {
    parts <- strsplit(name, ":")[[1]]
    own <- grepl("^o[0-9]$", parts)
    term <- if (all(own)) "1" else parts[!own]
    paste0(outcomes[[as.integer(substring(parts[own], 2))]], ": ", term)
  }
  row <- function(level, one, other, values) {
    list(level = level, effects = I(sort(c(one, other))), low = values[[1]], high = values[[3]])
  }
  # nlme cannot everywhere: its numerical Hessian is not always positive definite
  found <- try(intervals(fit, which = "var-cov"), silent = TRUE)
  if (inherits(found, "try-error")) return(NULL)
  effects <- do.call(c, lapply(names(found$reStruct), function(level) {
    table <- found$reStruct[[level]]
    table <- table[grepl("^cor\\(", rownames(table)), , drop = FALSE]
    lapply(seq_len(nrow(table)), function(k) {
      pair <- strsplit(sub("^cor\\((.*)\\)$", "\\1", rownames(table)[k]), ",")[[1]]
      row(level, ours(pair[1]), ours(pair[2]), unlist(table[k, ]))
    })
  }))
  within <- found$corStruct
  c(effects, lapply(seq_len(nrow(within)), function(k) {
    pair <- as.integer(strsplit(sub("^cor\\((.*)\\)$", "\\1", rownames(within)[k]), ",")[[1]])
    row("residual", outcomes[[pair[1]]], outcomes[[pair[2]]], within[k, ])
  }))
}

several <- function(case, file, data, outcomes, terms, random, method) {
  # Terms of nlme in the engine's order: outcome by outcome.
  columns <- function(terms) {
    unlist(lapply(seq_along(outcomes), function(k) {
      vapply(terms, function(t) if (t == "1") paste0("o", k) else paste0("o", k, ":", t), "")
    }))
  }
  formula_of <- function(terms) paste("0 +", paste(columns(terms), collapse = " + "))
  long <- stacked(data, outcomes)
  effects <- lapply(random, function(t) as.formula(paste("~", formula_of(t))))
  within <- as.formula(paste("~ which |", paste(c(names(random), "row"), collapse = "/")))
  fit <- several_tight(as.formula(paste("value ~", formula_of(terms))), effects, within, long,
                       method)
  # R moves interactions behind the main effects: back into the engine's order
  place <- function(found) {
    flat <- function(names) vapply(strsplit(names, ":"), function(n) paste(sort(n), collapse = ":"), "")
    match(flat(columns(terms)), flat(found))
  }
  own <- place(names(fixef(fit)))
  structures <- rev(as.list(fit$modelStruct$reStruct))
  covariances <- do.call(c, lapply(seq_along(structures), function(k) {
    matrix <- as.matrix(structures[[k]]) * fit$sigma^2
    flat <- function(n) vapply(strsplit(n, ":"), function(p) paste(sort(p), collapse = ":"), "")
    at <- match(flat(columns(random[[k]])), flat(rownames(matrix)))
    triangle(names(random)[[k]], matrix[at, at])
  }))
  c(
    list(case = case, data = file, outcomes = I(outcomes), fixed = I(terms),
         random = lapply(seq_along(random), function(k) {
           list(level = names(random)[[k]], terms = I(random[[k]]))
         }), method = method),
    list(
      engine = paste("nlme", packageVersion("nlme")),
      n_values = nrow(long), n_rows = length(unique(long$row)),
      log_likelihood = as.numeric(logLik(fit)),
      n_parameters = attr(logLik(fit), "df"),
      aic = AIC(fit), bic = as.numeric(-2 * logLik(fit) + log(nrow(long)) * attr(logLik(fit), "df")),
      estimates = I(unname(fixef(fit))[own]),
      standard_errors = I(unname(sqrt(diag(vcov(fit))))[own]),
      covariances = covariances,
      residual_covariance = residual_matrix(fit, outcomes),
      correlation_intervals = correlation_intervals(fit, outcomes)
    )
  )
}

both <- c("alliance", "symptoms")
growth <- list(client = c("1", "week"))
blood <- c("log_bilirubin", "albumin")
three <- c(blood, "log_platelets")
time <- c("1", "year")
cases <- list(
  several("growth_reml", "several_complete.csv", grown, both, c("1", "week", "x"), growth, "REML"),
  several("growth_ml", "several_complete.csv", grown, both, c("1", "week", "x"), growth, "ML"),
  several("growth_gaps_reml", "several_gaps.csv", gaps, both, c("1", "week"), growth, "REML"),
  several("growth_gaps_ml", "several_gaps.csv", gaps, both, c("1", "week"), growth, "ML"),
  several("therapists_reml", "several_gaps.csv", gaps, both, c("1", "week", "x"),
          list(therapist = "1", client = c("1", "week")), "REML"),
  several("therapists_ml", "several_gaps.csv", gaps, both, c("1", "week", "x"),
          list(therapist = "1", client = c("1", "week")), "ML"),
  several("pbc_reml", "several_pbc.csv", visits, blood, time, list(patient = time), "REML"),
  several("pbc_three_ml", "several_pbc.csv", visits, three, time, list(patient = "1"), "ML")
)
write_cases(cases, "several")
