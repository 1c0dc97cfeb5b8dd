# Reference numbers for alliance.measures.correlations, made by psych and by base R.
# Run in this folder: Rscript correlations.R > correlations.json; needs psych, MASS and jsonlite.
#
# schools.csv  MASS::nlschools (Venables & Ripley; data of Snijders & Bosker), GPL-2 | GPL-3: IQ and
#              language scores of the pupils of the first 40 classes; classes stand for clients
suppressMessages(library(psych))

schools <- MASS::nlschools[MASS::nlschools$class %in% levels(MASS::nlschools$class)[1:40], ]
schools <- data.frame(client = as.integer(as.character(schools$class)),
                      iq = schools$IQ, language = schools$lang)
write.csv(schools, "schools.csv", row.names = FALSE)

of <- function(data) {
  group <- factor(data$client)
  by <- suppressWarnings(statsBy(data, "client"))
  residuals <- sapply(c("iq", "language"), function(v) resid(lm(data[[v]] ~ group)))
  means <- sapply(c("iq", "language"), function(v) tapply(data[[v]], group, mean))
  within <- cor(residuals)[1, 2]
  between <- cor(means)[1, 2]
  df_within <- df.residual(lm(language ~ iq + group, data))
  p <- function(r, df) 2 * pnorm(-abs(fisherz(r)) * sqrt(df - 1))
  # estimators of the covariance matrix of true means, from the two-level analysis of variance
  ss <- summary(manova(cbind(iq, language) ~ group, data))$SS
  n <- nrow(data); k <- nlevels(group); sizes <- as.vector(table(group))
  inner <- ss$Residuals / (n - k)
  true <- (ss$group / (k - 1) - inner) / ((n - sum(sizes^2) / n) / (k - 1))
  list(rows = n, clients = k,
       within_psych = by$rwg[1, 2], within = within, df_within = df_within,
       within_ci = r.con(within, df_within + 2), within_p = p(within, df_within),
       between = between, between_ci = r.con(between, k), between_p = p(between, k - 2),
       corrected = cov2cor(true)[1, 2],
       sd_within = sqrt(diag(inner)), sd_between = apply(means, 2, sd))
}

# At most three pupils of every other class: few rows a client, and different numbers of them.
place <- ave(schools$iq, schools$client, FUN = seq_along)
few <- schools[schools$client %% 20 != 0 | place <= 3, ]
cat(jsonlite::toJSON(list(all = of(schools), few = of(few)), digits = NA, auto_unbox = TRUE,
                     pretty = TRUE), "\n")
