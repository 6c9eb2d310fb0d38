{{ config(meta={'dagster': {'ref': {'name': 'leaderboard_history'}}}) }}

-- A model without a rank, virtual ones apart, has a reason in its status.
select *
from {{ ref("leaderboard_history") }}
where not is_ensemble and (rank is null) <> (status like 'unranked: _%')
