{{ config(materialized="view") }}

select
    competition, category, as_of, position, rank, rank_with_ensembles, rank_change, model_id, title, player,
    rank_key, coverage, n, is_ensemble, status
from {{ ref("stg_leaderboard") }}
