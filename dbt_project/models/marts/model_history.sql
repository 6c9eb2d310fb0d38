{{ config(materialized="table" if target.name == "lake" else "view") }}

select
    competition, category, model_id, title, version, as_of, window_name, metric, direction, unit,
    value, n, n_imputed, n_scored, cycles_absent, coverage, se, ci_low, ci_high, ci_method, reason
from {{ ref("stg_snapshots") }}
