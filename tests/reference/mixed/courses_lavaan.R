# Latent curve models with structured residuals in lavaan: random intercepts and slopes of two
# outcomes per client, and residuals that follow a stationary first-order vector autoregression
# (Curran et al. 2014). The stationary start V = Phi V Phi' + Q enters as equality constraints.
# Balanced data, and data with missing values (full information likelihood).
suppressPackageStartupMessages({
  library(jsonlite)
  library(lavaan)
})
out_dir <- local({
  args <- commandArgs(trailingOnly = TRUE)
  if (length(args)) args[[1]] else "."
})
both <- c("alliance", "symptoms")

made_courses <- function(seed, clients, sessions, missing, name) {
  set.seed(seed)
  rows <- list()
  for (client in seq_len(clients)) {
    level <- rnorm(2, c(5, 12), c(1.0, 2.0))
    level[2] <- level[2] - 0.6 * (level[1] - 5)
    slope <- rnorm(2, c(0.15, -0.4), c(0.15, 0.25))
    w <- rnorm(2, 0, c(1.05, 1.6))
    for (session in seq_len(sessions)) {
      y <- level + slope * (session - 1) + w
      y[runif(2) < missing] <- NA
      rows[[length(rows) + 1]] <- c(client, session, round(y, 4))
      w <- c(0.35 * w[1] - 0.08 * w[2], -0.25 * w[1] + 0.45 * w[2]) + rnorm(2, 0, c(1.0, 1.4))
    }
  }
  frame <- setNames(as.data.frame(do.call(rbind, rows)), c("client", "session", both))
  frame <- frame[!(is.na(frame$alliance) & is.na(frame$symptoms)), ]
  frame$week <- frame$session - 1
  write.csv(frame, file.path(out_dir, name), row.names = FALSE, quote = FALSE, na = "")
  read.csv(file.path(out_dir, name))
}

structured <- function(sessions) {
  weeks <- seq_len(sessions) - 1
  at <- function(outcome) paste0(outcome, "_", seq_len(sessions))
  state <- function(outcome, k) paste0("w", outcome, k)
  lines <- c(
    paste("ia =~", paste0("1*", at("alliance"), collapse = " + ")),
    paste("sa =~", paste0(weeks, "*", at("alliance"), collapse = " + ")),
    paste("is =~", paste0("1*", at("symptoms"), collapse = " + ")),
    paste("ss =~", paste0(weeks, "*", at("symptoms"), collapse = " + ")),
    "ia + sa + is + ss ~ 1",
    "ia ~~ ia + sa + is + ss", "sa ~~ sa + is + ss", "is ~~ is + ss", "ss ~~ ss"
  )
  for (outcome in both) lines <- c(lines,
    paste0(at(outcome), " ~ 0*1"), paste0(at(outcome), " ~~ 0*", at(outcome)),
    paste0(state(outcome, seq_len(sessions)), " =~ 1*", at(outcome)))
  a <- "alliance"
  s <- "symptoms"
  lines <- c(lines,
    paste0(state(a, 1), " ~~ va*", state(a, 1)), paste0(state(s, 1), " ~~ vs*", state(s, 1)),
    paste0(state(a, 1), " ~~ vas*", state(s, 1)))
  for (k in 2:sessions) lines <- c(lines,
    paste0(state(a, k), " ~ aa*", state(a, k - 1), " + as*", state(s, k - 1)),
    paste0(state(s, k), " ~ sa*", state(a, k - 1), " + ss*", state(s, k - 1)),
    paste0(state(a, k), " ~~ qa*", state(a, k)), paste0(state(s, k), " ~~ qs*", state(s, k)),
    paste0(state(a, k), " ~~ qas*", state(s, k)))
  paste(c(lines,
    "qa == va - (aa^2*va + 2*aa*as*vas + as^2*vs)",
    "qs == vs - (sa^2*va + 2*sa*ss*vas + ss^2*vs)",
    "qas == vas - (aa*sa*va + (aa*ss + as*sa)*vas + as*ss*vs)"), collapse = "\n")
}

# -2 log L of the same model from its formulas, client by client, for standard errors: those of lavaan
# leave the curvature of the constraints out (a few per cent here).
dense_deviance <- function(parameters, clients) {
  at <- function(first, count) parameters[seq(first, length.out = count)]
  means <- at(1, 4)
  psi <- matrix(0, 4, 4)
  psi[lower.tri(psi, TRUE)] <- at(5, 10)
  psi <- psi + t(psi) - diag(diag(psi))
  phi <- matrix(at(15, 4), 2, byrow = TRUE)
  within <- matrix(at(19, 3)[c(1, 2, 2, 3)], 2)
  sessions <- max(sapply(clients, function(client) max(client$session)))
  covariance <- matrix(0, 2 * sessions, 2 * sessions)
  for (s in seq_len(sessions)) {
    block <- within
    for (r in s:sessions) {
      covariance[2 * r - 1:0, 2 * s - 1:0] <- block
      covariance[2 * s - 1:0, 2 * r - 1:0] <- t(block)
      block <- phi %*% block
    }
  }
  z <- do.call(rbind, lapply(seq_len(sessions) - 1, function(w) rbind(c(1, w, 0, 0), c(0, 0, 1, w))))
  covariance <- covariance + z %*% psi %*% t(z)
  mean <- drop(z %*% means)
  sum(sapply(clients, function(client) {
    v <- covariance[client$cell, client$cell, drop = FALSE]
    rest <- client$y - mean[client$cell]
    length(rest) * log(2 * pi) + determinant(v)$modulus + sum(rest * solve(v, rest))
  }))
}

phi_errors <- function(frame, means, psi, phi, within) {
  clients <- lapply(split(frame, frame$client), function(own) {
    y <- c(t(as.matrix(own[both])))
    cell <- c(rbind(2 * own$session - 1, 2 * own$session))
    list(y = y[!is.na(y)], cell = cell[!is.na(y)], session = own$session)
  })
  point <- c(means, psi[lower.tri(psi, TRUE)], t(phi), within[c(1, 2, 4)])
  hessian <- optimHess(point, dense_deviance, clients = clients, control = list(ndeps = rep(1e-4, 21)))
  matrix(sqrt(2 * diag(solve(hessian)))[15:18], 2, byrow = TRUE)
}

structured_curve <- function(case, file, frame, sessions) {
  wide <- reshape(frame[c("client", "session", both)], idvar = "client", timevar = "session",
                  sep = "_", direction = "wide")
  begun <- proc.time()[["elapsed"]]
  # The tightest search that lavaan calls successful counts; rounding hides further gains.
  for (tolerance in c(1e-12, 1e-11, 1e-10, 1e-9, 1e-8)) {
    fit <- suppressWarnings(lavaan(
      structured(sessions), data = wide, meanstructure = TRUE, missing = "fiml", estimator = "ML",
      baseline = FALSE, h1 = FALSE, se = "none", test = "none",
      control = list(rel.tol = tolerance, iter.max = 20000, eval.max = 40000)
    ))
    if (lavInspect(fit, "converged")) break
  }
  stopifnot(lavInspect(fit, "converged"))
  estimates <- coef(fit)
  phi <- c("aa", "as", "sa", "ss")
  order <- c("ia", "sa", "is", "ss")
  psi <- unname(unclass(lavInspect(fit, "est")$psi[order, order]))
  means <- unname(lavInspect(fit, "est")$alpha[order, 1])
  coefficients <- matrix(estimates[phi], 2, byrow = TRUE)
  within <- matrix(estimates[c("va", "vas", "vas", "vs")], 2)
  list(
    case = case, data = file, engine = paste("lavaan", packageVersion("lavaan")),
    seconds = proc.time()[["elapsed"]] - begun,
    log_likelihood = as.numeric(logLik(fit)),
    means = I(means),
    effect_covariance = psi,
    phi = coefficients,
    phi_errors = phi_errors(frame, means, psi, coefficients, within),
    within = within,
    innovations = matrix(estimates[c("qa", "qas", "qas", "qs")], 2)
  )
}

complete <- made_courses(41, 250, 7, 0, "courses_complete.csv")
gaps <- made_courses(43, 250, 7, 0.12, "courses_gaps.csv")
body <- list(made_by = "courses_lavaan.R", r = paste(R.version$major, R.version$minor, sep = "."),
             cases = list(structured_curve("complete", "courses_complete.csv", complete, 7),
                          structured_curve("gaps", "courses_gaps.csv", gaps, 7)))
writeLines(toJSON(body, digits = NA, auto_unbox = TRUE, pretty = 1),
           file.path(out_dir, "courses_lavaan.json"))
