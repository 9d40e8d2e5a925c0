# The same bootstrap and permutations in R, for comparison with agreement_bench:
#
#   Rscript tests/bench/agreement/agreement_bench.R
#
# 100 scenarios of 5 attributes, 10,000 times, as one writes it in R: slope and r of the pairs of the
# scenarios drawn, r of reports reassigned among scenarios. Without reliabilities.
set.seed(1)
scenarios <- 100
attributes <- 5
weight <- matrix(rnorm(scenarios * attributes), attributes)
report <- matrix(0.5 * weight + rnorm(scenarios * attributes), attributes)

bootstrap <- system.time(replicate(10000, {
  drawn <- sample.int(scenarios, replace = TRUE)
  x <- as.vector(report[, drawn])
  y <- as.vector(weight[, drawn])
  r <- cor(x, y)
  c(r * sd(y) / sd(x), r)
}))[["user.self"]]
permutation <- system.time(replicate(10000, {
  cor(as.vector(report[, sample.int(scenarios)]), as.vector(weight))
}))[["user.self"]]
cat(sprintf("R, processor time: bootstrap of slope and r %.0f ms, permutations %.0f ms\n",
            1000 * bootstrap, 1000 * permutation))
