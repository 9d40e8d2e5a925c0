# What R takes for the same logistic regressions, without a prior: glm.fit, its inner function, and
# glm with its formula. Called by candor_fit_bench with the file of trials.
trials <- read.csv(commandArgs(trailingOnly = TRUE)[1])
scenarios <- split(trials, trials$scenario)
columns <- grep("^x_", names(trials))
data <- lapply(scenarios, function(s) {
  x <- as.matrix(s[, columns])
  list(z = cbind(1, scale(x, scale = FALSE)), y = s$y, frame = s[, c("y", names(s)[columns])])
})
per_fit <- function(fit) {
  seconds <- system.time(for (d in data) suppressWarnings(fit(d)))[["user.self"]]
  seconds / length(data) * 1e6
}
invisible(per_fit(function(d) glm.fit(d$z, d$y, family = binomial())))
cat(sprintf("glm.fit %.0f\n", per_fit(function(d) glm.fit(d$z, d$y, family = binomial()))))
cat(sprintf("glm %.0f\n", per_fit(function(d) glm(y ~ ., data = d$frame, family = binomial()))))
