# The statistics of cape_lib by independent software: base R, metafor.
# Run from this folder: Rscript reference.R     (writes reference.json; nothing else is needed to run the tests)
# Inputs are fixed copies in inputs/, so that these numbers do not move when the tables of the book grow.
suppressPackageStartupMessages({library(jsonlite); library(metafor)})

read <- function(name) read.csv(file.path("inputs", paste0(name, ".csv")), na.strings = "")
frontier <- read("frontier"); base <- read("base"); pooled <- read("pooled"); labs <- read("labs")
pythia <- base[which(base$ladder == "Pythia"), ]
pythia <- pythia[order(pythia$params_b), ]

# ---- correlations ---------------------------------------------------------------------------------------------------
correlation <- function(x, y) {
  test <- cor.test(x, y)
  list(r = unname(test$estimate), low = test$conf.int[1], high = test$conf.int[2], p = test$p.value, n = length(x))
}
# Partial r as the correlation of two residuals; its interval by Fisher's z with one observation fewer a variable.
partial <- function(x, y, z) {
  z <- as.matrix(z)
  r <- cor(resid(lm(x ~ z)), resid(lm(y ~ z)))
  half <- qnorm(0.975) / sqrt(length(x) - 3 - ncol(z))
  # The same r from the t value of a multiple regression.
  t <- summary(lm(y ~ x + z))$coefficients["x", "t value"]
  list(r = r, low = tanh(atanh(r) - half), high = tanh(atanh(r) + half),
       r_from_t = t / sqrt(t^2 + length(x) - 2 - ncol(z)), n = length(x))
}
complete <- base[complete.cases(base[c("hellaswag", "truthfulqa")]), ]
demeaned <- function(v, g) v - ave(v, g)
several <- complete[ave(complete$params_b, complete$family, FUN = length) > 1, ]

# ---- straight lines -------------------------------------------------------------------------------------------------
line <- function(x, y, at) {
  fit <- lm(y ~ x)
  bounds <- confint(fit)
  list(slope = unname(coef(fit)[2]), slope_low = bounds[2, 1], slope_high = bounds[2, 2],
       intercept = unname(coef(fit)[1]), intercept_low = bounds[1, 1], intercept_high = bounds[1, 2],
       residual_sd = summary(fit)$sigma, var_slope = vcov(fit)[2, 2], var_intercept = vcov(fit)[1, 1],
       cov = vcov(fit)[1, 2], at = at,
       prediction = as.data.frame(predict(fit, data.frame(x = at), interval = "prediction")),
       confidence = as.data.frame(predict(fit, data.frame(x = at), interval = "confidence")))
}

# ---- a quadratic and its vertex -------------------------------------------------------------------------------------
quadratic <- function(size, y) {
  t <- log10(size)
  b <- coef(lm(y ~ t + I(t^2)))
  list(vertex_b = 10^unname(-b[2] / (2 * b[3])), n = length(t))
}

# ---- slopes of labs, meta-analysis --------------------------------------------------------------------
slopes_of <- function(lab, x, y) {
  keep <- names(which(table(lab) >= 3))
  rows <- lapply(keep, function(one) {
    fit <- lm(y[lab == one] ~ x[lab == one]); bounds <- confint(fit)
    data.frame(lab = one, n = sum(lab == one), slope = unname(coef(fit)[2]), low = bounds[2, 1], high = bounds[2, 2],
               standard_error = sqrt(vcov(fit)[2, 2]))
  })
  do.call(rbind, rows)
}
pooled_slopes <- function(slopes) {
  dl <- rma(yi = slopes$slope, sei = slopes$standard_error, method = "DL")
  shrunk <- blup(dl)
  list(q = dl$QE, p = dl$QEp, tau = sqrt(dl$tau2), share = dl$I2 / 100, common = as.numeric(dl$beta),
       common_low = dl$ci.lb, common_high = dl$ci.ub, shrunk = setNames(as.list(shrunk$pred), slopes$lab))
}
left_out <- function(lab, x, y) {
  keep <- names(which(table(lab) >= 3))
  errors <- sapply(keep, function(one) {
    fit <- lm(y ~ x, data = data.frame(x = x, y = y)[lab != one, ])
    mean(abs(y[lab == one] - predict(fit, data.frame(x = x[lab == one]))))
  })
  test <- t.test(errors)
  list(errors = as.list(errors), mean = mean(errors), low = test$conf.int[1], high = test$conf.int[2])
}
mean_h <- function(lab, x, y) {
  h <- resid(lm(y ~ x))
  rows <- lapply(names(which(table(lab) >= 2)), function(one) {
    test <- t.test(h[lab == one])
    data.frame(lab = one, mean = unname(test$estimate), low = test$conf.int[1], high = test$conf.int[2])
  })
  do.call(rbind, rows)
}

# ---- shares, permutations, spectra, noise in x, ratios --------------------------------------------------------------
wilson <- do.call(rbind, lapply(list(c(0, 5), c(1, 4), c(5, 7), c(9, 10), c(31, 58), c(90, 90), c(817, 1000)), function(k) {
  bounds <- suppressWarnings(prop.test(k[1], k[2], correct = FALSE))$conf.int
  data.frame(k = k[1], n = k[2], low = bounds[1], high = bounds[2])
}))
orders <- function(n) {
  if (n == 1) return(matrix(1, 1, 1))
  smaller <- orders(n - 1)
  do.call(rbind, lapply(seq_len(n), function(first) cbind(first, ifelse(smaller >= first, smaller + 1, smaller))))
}
exact_p <- function(x, y) {
  draws <- apply(orders(length(x)), 1, function(order) cor(x, y[order]))
  r <- cor(x, y)
  list(r = r, two_sided = mean(abs(draws) >= abs(r) - 1e-12), less = mean(draws <= r + 1e-12), orders = length(draws))
}
benchmarks <- c("hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu")
spectrum <- function(rows) {
  values <- prcomp(rows[complete.cases(rows[benchmarks]), benchmarks])$sdev^2
  list(eigenvalues = values, participation = sum(values)^2 / sum(values^2), n = sum(complete.cases(rows[benchmarks])))
}
binomial_sd <- function(percent, items) 100 * sqrt(percent / 100 * (1 - percent / 100) / items)
# P(dy / dx < limit) for two independent normals, as an integral over dx.
ratio_below <- function(limit, dy, dx, sd_y, sd_x) {
  inner <- function(u) dnorm(u, dx, sd_x) * ifelse(u > 0, pnorm(limit * u, dy, sd_y), 1 - pnorm(limit * u, dy, sd_y))
  ends <- sort(c(dx - 12 * sd_x, 0, dx + 12 * sd_x))
  integrate(inner, ends[1], ends[2], rel.tol = 1e-11, subdivisions = 5000)$value +
    integrate(inner, ends[2], ends[3], rel.tol = 1e-11, subdivisions = 5000)$value
}
# Fieller's set by its definition: ratios g for which dy - g dx is within its noise of zero.
fieller <- function(dy, dx, sd_y, sd_x) {
  excess <- function(g) (dy - g * dx)^2 - qnorm(0.975)^2 * (sd_y^2 + g^2 * sd_x^2)
  middle <- dy / dx
  find <- function(sign) {
    width <- 1e-6
    while (excess(middle + sign * width) < 0 && width < 1e9) width <- 2 * width
    uniroot(excess, sort(c(middle, middle + sign * width)), tol = 1e-13)$root
  }
  c(find(-1), find(1))
}
steps <- lapply(seq_len(nrow(pythia) - 1), function(i) {
  at <- pythia[c(i, i + 1), ]
  sd_y <- sqrt(sum(binomial_sd(at$truthfulqa, 817)^2)); sd_x <- sqrt(sum(binomial_sd(at$hellaswag, 10042)^2))
  dy <- diff(at$truthfulqa); dx <- diff(at$hellaswag)
  ends <- fieller(dy, dx, sd_y, sd_x)
  data.frame(gamma = dy / dx, low = ends[1], high = ends[2], p_negative = ratio_below(0, dy, dx, sd_y, sd_x),
             p_tax = ratio_below(-0.1, dy, dx, sd_y, sd_x), p_bonus = 1 - ratio_below(0.1, dy, dx, sd_y, sd_x))
})

x <- frontier$swe_bench_verified; y <- frontier$gpqa_diamond
answer <- list(
  versions = list(R = R.version.string,
                  metafor = as.character(packageVersion("metafor")), platform = R.version$platform),
  pearson = list(frontier = correlation(x, y), pythia = correlation(pythia$hellaswag, pythia$truthfulqa),
                 base = correlation(complete$hellaswag, complete$truthfulqa)),
  partial = list(frontier_date = partial(x, y, frontier$days),
                 base_size = partial(complete$hellaswag, complete$truthfulqa, log10(complete$params_b))),
  demeaned_r = cor(demeaned(several$hellaswag, several$family), demeaned(several$truthfulqa, several$family)),
  line = list(frontier = line(x, y, c(20, 50, 80.8, 95)), pythia = line(pythia$hellaswag, pythia$truthfulqa, c(30, 70))),
  quadratic = list(pooled = quadratic(pooled$params_b, pooled$truthfulqa)),
  lab_slopes = list(labs = slopes_of(labs$lab, labs$x, labs$y), frontier = slopes_of(frontier$lab, x, y)),
  pooled_slopes = list(labs = pooled_slopes(slopes_of(labs$lab, labs$x, labs$y)),
                       frontier = pooled_slopes(slopes_of(frontier$lab, x, y))),
  leave_one_lab_out = left_out(frontier$lab, x, y),
  lab_means = mean_h(frontier$lab, x, y),
  wilson = wilson,
  permutation = exact_p(pythia$hellaswag, pythia$winogrande - 0.9 * pythia$hellaswag),
  spectrum = list(base = spectrum(base), pythia = spectrum(pythia)),
  local_coupling = do.call(rbind, steps)
)
write(toJSON(answer, digits = I(15), auto_unbox = TRUE, pretty = TRUE, na = "null"), "reference.json")
