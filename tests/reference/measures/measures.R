# Reference numbers for alliance.measures, made by psych and by base R.
# Run in this folder: Rscript measures.R > measures.json; needs psych and jsonlite.
#
# attitude.csv     datasets::attitude (Chatterjee & Price 1977), part of R (GPL-2 | GPL-3)
# shrout_lane.csv  5 persons x 4 times x 3 items, help page of psych::multilevel.reliability
#                  (GPL >= 2), after Shrout & Lane (2012), table of the worked example
# Shrout & Fleiss (1979), table 2: 6 targets x 4 judges, printed in the paper and in psych::ICC
suppressMessages(library(psych))
options(digits = 12)

write.csv(datasets::attitude, "attitude.csv", row.names = FALSE)
shrout <- data.frame(
  Person = rep(1:5, 4), Time = rep(1:4, each = 5),
  Item1 = c(2, 3, 6, 3, 7, 3, 5, 6, 3, 8, 4, 4, 7, 5, 6, 1, 5, 8, 8, 6),
  Item2 = c(3, 4, 6, 4, 8, 3, 7, 7, 5, 8, 2, 6, 8, 6, 7, 3, 9, 9, 7, 8),
  Item3 = c(6, 4, 5, 3, 7, 4, 7, 8, 9, 9, 5, 7, 9, 7, 8, 4, 7, 9, 9, 6))
write.csv(shrout, "shrout_lane.csv", row.names = FALSE)
fleiss <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7),
                 ncol = 4, byrow = TRUE)

a <- suppressWarnings(alpha(attitude))
f <- factanal(attitude, 1, lower = .005, control = list(opt = list(factr = 1e3)))
sds <- sapply(attitude, sd)
loadings <- f$loadings[, 1] * sds
uniquenesses <- f$uniquenesses * sds^2
m <- suppressMessages(multilevel.reliability(shrout, grp = "Person", Time = "Time",
       items = c("Item1", "Item2", "Item3"), lmer = FALSE, lme = TRUE, plot = FALSE))
i <- suppressMessages(ICC(fleiss, lmer = FALSE))

# A two-way REML table with gaps: some sessions of some persons are missing.
set.seed(7)
gaps <- shrout[-c(3, 9, 11, 17, 20), ]
gaps$y <- rowMeans(gaps[, c("Item1", "Item2", "Item3")])
write.csv(gaps, "shrout_lane_gaps.csv", row.names = FALSE)
crossed <- lme4::lmer(y ~ 1 + (1 | Person) + (1 | Time), data = gaps)
nested <- lme4::lmer(y ~ 1 + (1 | Person), data = gaps)
variances <- function(fit) {
  v <- as.data.frame(lme4::VarCorr(fit))
  setNames(as.list(v$vcov), v$grp)
}
# attitude with answers left out: pairwise covariances
holes <- as.matrix(attitude)
holes[cbind(c(1, 4, 9, 15, 22, 28), c(1, 3, 7, 2, 5, 6))] <- NA
write.csv(holes, "attitude_holes.csv", row.names = FALSE)
h <- suppressWarnings(alpha(as.data.frame(holes), use = "pairwise"))

cat(jsonlite::toJSON(list(
  versions = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")),
                  lme4 = as.character(packageVersion("lme4"))),
  attitude = list(alpha = a$total$raw_alpha, alpha_standardised = a$total$std.alpha,
                  item_rest = a$item.stats$r.drop,
                  omega_factanal = sum(loadings)^2 / (sum(loadings)^2 + sum(uniquenesses))),
  attitude_holes = list(alpha = h$total$raw_alpha),
  shrout_lane = list(R_KF = m$RkF, R_1R = m$R1R, R_KR = m$RkR, R_C = m$Rc, R_KRN = m$RkRn,
                     R_CN = m$Rcn, components = setNames(as.list(m$components[1:7, 1]),
                     c("person", "session", "item", "person_session", "person_item",
                       "session_item", "residual"))),
  shrout_fleiss = i$results$ICC,
  gaps = list(crossed = variances(crossed), nested = variances(nested))
), auto_unbox = TRUE, digits = 12, pretty = TRUE), "\n")
