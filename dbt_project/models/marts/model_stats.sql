select
    competition, category, as_of, model_id, title, window_name, metric, direction, unit,
    value, n, n_imputed, n_scored, cycles_absent, coverage, coverage_since_first, se, ci_low, ci_high, ci_method, reason
from {{ ref("stg_snapshots") }}
qualify as_of = max(as_of) over (partition by competition, category)
order by competition, category, model_id, window_name, metric
