-- Metrics over windows with the name of each model and which way each metric is better, and the model's version.
select
    snapshots.*,
    coalesce(models.title, snapshots.model_id) as title,
    metrics.direction,
    metrics.unit,
    versions.version
from {{ source("competition", "snapshots") }} as snapshots
left join {{ source("competition", "models") }} as models
    on models.competition = snapshots.competition and models.model_id = snapshots.model_id
left join {{ source("catalog", "metrics") }} as metrics
    on metrics.board = snapshots.competition and metrics.metric = snapshots.metric
-- The version of the newest cycle that was resolved by then.
asof left join {{ source("competition", "model_versions") }} as versions
    on versions.competition = snapshots.competition and versions.model_id = snapshots.model_id
    and versions.first_cycle < snapshots.as_of
