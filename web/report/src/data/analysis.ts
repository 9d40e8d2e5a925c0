// The analysis as candor/v1/analysis.proto has it, in the JSON of `candor analyze`: every field may be absent.

export interface Interval {
  low?: number;
  high?: number;
}

export interface PredictionScore {
  accuracy?: number;
  log_loss?: number;
}

export interface FitQuality {
  model?: PredictionScore;
  majority?: PredictionScore;
  best_single_attribute?: PredictionScore;
  equal_weights?: PredictionScore;
  folds?: number;
  n_choices?: number;
}

export interface ScenarioFit {
  scenario_id?: string;
  domain?: string;
  attributes?: string[];
  native?: boolean;
  map?: number[];
  mean?: number[];
  sd?: number[];
  normalised?: number[];
  normalised_intervals?: Interval[];
  published?: number[];
  instilled?: number[];
  position_bias?: number;
  position_bias_sd?: number;
  position_bias_z?: number;
  position_bias_q?: number;
  n_trials?: number;
  n_choices?: number;
  n_unreadable?: number;
  flip_rate?: number;
  n_soft?: number;
  fit?: FitQuality;
  chooser?: string;
}

export interface Line {
  slope?: number;
  r?: number;
  spearman?: number;
  interval_low?: number;
  interval_high?: number;
  n_pairs?: number;
  n_scenarios?: number;
}

export interface Bootstrap {
  slope?: Interval;
  r?: Interval;
  resamples?: number;
  seed?: number;
}

export interface Reliability {
  weights?: number;
  reports?: number;
  r_disattenuated?: number;
  r_disattenuated_interval?: Interval;
  ceiling?: number;
}

export interface ClassCount {
  class?: string;
  count?: number;
}

export interface Attrition {
  scenarios_total?: number;
  scenarios_lost?: number;
  classes?: ClassCount[];
  complete_cases?: Line;
  worst_case_slope?: Interval;
}

export interface OutOfRange {
  n_values?: number;
  as_is?: Line;
  clipped?: Line;
  dropped?: Line;
}

export interface ScenarioAgreement {
  scenario_id?: string;
  domain?: string;
  attributes?: string[];
  weights?: number[];
  report?: number[];
  report_sd?: number[];
  n_reports?: number;
  r?: number;
  cosine?: number;
  sign_agreement?: number;
  top_attribute_named?: boolean;
  standardised_weights?: number[];
  standardised_report?: number[];
  p?: number;
  q?: number;
}

export interface DomainAgreement {
  domain?: string;
  line?: Line;
  mean_cosine?: number;
}

export interface Agreement {
  chooser?: string;
  reporter?: string;
  weights_source?: string;
  slope?: number;
  slope_standard_error?: number;
  interval_low?: number;
  interval_high?: number;
  p?: number;
  r?: number;
  spearman?: number;
  kendall?: number;
  pearson_spearman_gap?: boolean;
  sign_agreement?: number;
  mean_cosine?: number;
  top_attribute_share?: number;
  n_pairs?: number;
  n_scenarios?: number;
  replies_valid?: number;
  replies_total?: number;
  bootstrap?: Bootstrap;
  cluster_robust_interval?: Interval;
  cluster_robust_standard_error?: number;
  permutation_p?: number;
  permutations?: number;
  reliability?: Reliability;
  attrition?: Attrition;
  out_of_range?: OutOfRange;
  refit?: Line;
  wide_prior?: Line;
  scenarios?: ScenarioAgreement[];
  domains?: DomainAgreement[];
}

export interface Contrast {
  trained?: string;
  untrained?: string;
  slope?: number;
  r?: number;
  standard_error?: number;
  degrees_of_freedom?: number;
  interval_low?: number;
  interval_high?: number;
  p?: number;
  n_pairs?: number;
  n_scenarios?: number;
  replies_valid?: number;
  replies_total?: number;
  bootstrap?: Bootstrap;
  r_disattenuated?: number;
  r_disattenuated_interval?: Interval;
  models?: string[];
}

export const agreementNames = [
  "self_reports",
  "learned_vs_instilled",
  "control",
  "preference_trained",
  "introspection_trained",
  "native_before",
  "native_after",
] as const;
export type AgreementName = (typeof agreementNames)[number];

export const contrastNames = ["contrast_self_reports", "contrast_instilled", "contrast_native"] as const;
export type ContrastName = (typeof contrastNames)[number];

export interface KindClasses {
  kind?: string;
  total?: number;
  classes?: ClassCount[];
  unanswered?: number;
}

export type Contrasts = Partial<Record<ContrastName, Contrast>>;

export type ModelAnalysis = Partial<Record<AgreementName, Agreement>> &
  Contrasts & {
    scenarios?: ScenarioFit[];
    fit?: FitQuality;
    position_bias_share?: number;
    replies?: KindClasses[];
  };

export interface AccessPair {
  chooser?: string;
  reporter?: string;
  r?: number;
  slope?: number;
  r_interval?: Interval;
  n_scenarios?: number;
}

export interface AccessDifference {
  reporter?: string;
  other?: string;
  difference?: number;
  interval?: Interval;
  p?: number;
  n_scenarios?: number;
}

export interface PrivilegedAccess {
  choosers?: string[];
  reporters?: string[];
  pairs?: AccessPair[];
  differences?: AccessDifference[];
  overall?: AccessDifference;
}

export interface TestedStatistic {
  statistic?: string;
  primary?: boolean;
  value?: number;
  p?: number;
  p_holm?: number;
}

export interface ExcludedRow {
  file?: string;
  line?: number;
  column?: string;
  reason?: string;
}

export interface ExampleReply {
  entry?: string;
  scenario?: string;
  kind?: string;
  class?: string;
  text?: string;
}

export interface AnalysisPlan {
  primary?: string[];
  tau?: number;
  exclusions?: {
    scenario_ids?: string[];
    classes?: string[];
    min_reports_per_scenario?: number;
    min_choices_per_scenario?: number;
    out_of_range?: string;
  };
  contrasts?: { trained?: string; untrained?: string }[];
}

export interface Analysis {
  schema_version?: number;
  candor_version?: string;
  create_time?: string;
  headline?: string;
  settings?: { tau?: number; resamples?: number; permutations?: number; seed?: number; folds?: number };
  sources?: string[];
  jobs?: Job[];
  models?: Record<string, ModelAnalysis>;
  pooled?: Contrasts;
  privileged_access?: PrivilegedAccess;
  plan?: AnalysisPlan;
  plan_hash?: string;
  tests?: TestedStatistic[];
  left_out?: { statistic?: string; reason?: string }[];
  warnings?: string[];
  excluded_rows?: ExcludedRow[];
  excluded_row_count?: number;
  examples?: ExampleReply[];
}

// The parts of candor/v1/job.proto that the page shows.

export interface PromptTemplate {
  messages?: { role?: string; content?: string }[];
}

export interface Prompts {
  choice?: PromptTemplate;
  self_report?: PromptTemplate;
}

export interface Sampling {
  temperature?: number;
  top_p?: number;
  max_output_tokens?: number;
  seed?: number;
  reasoning_effort?: string;
  log_probabilities?: number;
  response_schema?: string;
  extra_body?: unknown;
}

export interface Choices {
  trials_per_scenario?: number;
  orders?: string;
  samples_per_trial?: number;
  sampling?: Sampling;
  design?: string;
  adaptive?: { random_pairs?: number; candidates?: number };
}

export interface SelfReports {
  reports_per_scenario?: number;
  sampling?: Sampling;
}

export interface Entry {
  name?: string;
  endpoint?: string;
  model?: string;
  condition?: string;
  scenario_ids?: string[];
  prompts?: Prompts;
  choices?: Choices;
  self_reports?: SelfReports;
  weights_from?: string;
}

export interface KindProgress {
  kind?: string;
  total?: number;
  done?: number;
  failed?: number;
  calls?: number;
  repeated_calls?: number;
  usage?: {
    input_tokens?: number;
    cached_input_tokens?: number;
    output_tokens?: number;
    reasoning_tokens?: number;
  };
  money?: number;
  unknown_attempts?: number;
  unknown_money?: number;
}

export interface Job {
  name?: string;
  display_name?: string;
  labels?: Record<string, string>;
  models?: Entry[];
  scenario_set?: string;
  inline_scenarios?: unknown;
  scenario_ids?: string[];
  scenario_limit?: number;
  prompts?: Prompts;
  attribute_order?: string;
  choices?: Choices;
  self_reports?: SelfReports;
  budget?: { calls?: number; tokens?: number; money?: number };
  seed?: number;
  analysis?: AnalysisPlan;
  state?: string;
  state_reason?: string;
  specification_hash?: string;
  progress?: { entry?: string; state?: string; reason?: string; kinds?: KindProgress[] }[];
  create_time?: string;
  start_time?: string;
  end_time?: string;
  analysis_hash?: string;
  imported?: boolean;
}
