{{ config(materialized="table" if target.name == "lake" else "view") }}

select
    competition, category, as_of, position, rank, rank_with_ensembles, rank_change, rank_lo, rank_hi, tie_group,
    n_cycles, n_effective, rank_method, model_id, title, player, rank_key, coverage, n, is_ensemble, status
from {{ ref("stg_leaderboard") }}
