{{ config(meta={'dagster': {'ref': {'name': 'leaderboard_current'}}}) }}

-- Every model that has a metric on the newest board is listed on it, ranked or not.
select competition, category, model_id
from {{ ref("model_stats") }}
except
select competition, category, model_id
from {{ ref("leaderboard_current") }}
