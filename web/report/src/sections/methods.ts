// How the numbers are made, in plain words, with the sources of the formulas.

import { h, type Child } from "../parts/dom";
import { details, section, type Section } from "../parts/section";

const parts: readonly (readonly [string, readonly Child[]])[] = [
  [
    "What the statistics are called",
    [
      "Self-reports: an entry’s reports against the weights that its own choices follow, or those of the entry that the job names. Learned against instilled weights: what fine-tuning taught against what it was to teach. Base model (control): reports of the model before fine-tuning against the learned weights, which it cannot know. Preference-trained: reports of the fine-tuned model. Introspection-trained: reports of models that were trained to report on one half of the scenarios, on the other half. Native: the same on scenarios that no fine-tuning touched, before and after introspection training.",
    ],
  ],
  [
    "Weights from choices",
    [
      "A model is shown pairs of options that differ in a few attributes, and chooses A or B. The choice model says: the log-odds of A are an intercept plus, for each attribute, a weight times the difference of A and B in that attribute, as a share of its range. Weights have a normal prior of width tau, the intercept (of centred differences) a Student-t prior with 3 degrees of freedom and scale 2.5, as brms sets them in the paper. The estimate is the posterior mean: the mode, found by Newton’s method with step halving, plus a closed-form correction for skewness. The standard deviation is that of the curvature at the mode, widened by 2 %.",
      "For comparison, each scenario’s weights are scaled so that the largest, without its sign, is 100. The log-odds of A at a tie are the position bias; its z is the bias over its standard deviation.",
      "Sources: the model and priors, Plunkett, Morris, Reddy and Morales (2025), arXiv 2505.17120; the correction, Tierney, Kass and Kadane (1989), J. Am. Stat. Assoc. 84, 710–716.",
    ],
  ],
  [
    "Agreement of reports with weights",
    [
      "A scenario’s report is the mean of its readable self-reports. Weights and reports are standardised over all (scenario, attribute) pairs of one condition, and the slope of weights on reports is fitted by least squares. Its interval is Student’s t with n − 2 degrees of freedom, as in the paper.",
      "The pairs of one scenario are not independent, so two more intervals stand beside it: one by drawing whole scenarios with replacement (percentiles of the resamples), and one from the cluster-robust standard error CR1 with scenarios as clusters. The p reassigns reports among scenarios, because unrelated reports need not give a slope of exactly 0.",
      "Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap; Cameron and Miller (2015), J. Human Resources 50, 317–372, for CR1; Phipson and Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39, for permutation p.",
    ],
  ],
  [
    "Consistency, and r corrected for it",
    [
      "Noise in weights and reports makes r smaller than it would be without. The reliability of weights is the correlation of two halves of the trials, stepped up to the whole; that of reports is the intraclass correlation of the mean. r corrected is r over the root of their product; it may pass 1. The ceiling is what a chooser without noise, with the instilled weights, reaches on the same trials.",
      "Sources: Spearman (1904), Am. J. Psychol. 15, 72–101, for the correction; Spearman and Brown (1910), Br. J. Psychol. 3, 271–322; Shrout and Fleiss (1979), Psychol. Bull. 86, 420–428, for the intraclass correlation.",
    ],
  ],
  [
    "Contrasts",
    [
      "Trained minus untrained: separate lines for each model and condition, one pooled residual variance, the estimate the mean difference over models, with Student’s t on N − 4 degrees of freedom a model. Beside it the bootstrap by scenarios, with both conditions drawn together, and the difference of the corrected r.",
      "Source: Plunkett and others (2025).",
    ],
  ],
  [
    "Privileged access",
    [
      "Every reporter’s self-reports are compared with every chooser’s weights. The difference of r with a model’s own weights and r with another’s is taken over the scenarios that both have, and its interval by drawing these scenarios, all models together. A model that merely reports what models in general prefer shows no difference.",
    ],
  ],
  [
    "What is missing",
    [
      "Scenarios without readable reports or estimated weights are counted as lost. The same line is fitted on scenarios with every reply readable; and worst cases give the missing replies whatever numbers on the scale pull the slope down, or up, most. Reports beyond [−100, 100] are kept as they are, clipped, or left out, side by side.",
    ],
  ],
  [
    "Fit of the choice model",
    [
      "Choices are predicted on trials that were kept from the fit (cross-validation by trial), beside three simpler rules: the more frequent answer, the best single attribute, all attributes alike. A tie counts as half. The log loss is the mean negative log-likelihood of a choice, in nats.",
    ],
  ],
  [
    "Many tests",
    [
      "Primary statistics of the analysis plan are corrected by Holm’s method; flags on single scenarios (agreement, position bias) by Benjamini and Hochberg’s, whose adjusted p is q.",
      "Sources: Holm (1979), Scand. J. Stat. 6, 65–70; Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289–300.",
    ],
  ],
];

export function methods(): Section {
  return section(
    "methods",
    "Methods",
    "How the numbers are made, in plain words.",
    parts.map(([title, paragraphs]) =>
      details(
        title,
        paragraphs.map((text) => h("p", {}, text)),
      ),
    ),
  );
}
