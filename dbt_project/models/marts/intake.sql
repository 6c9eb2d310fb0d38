select
    competition,
    kind,
    count(*) as n_files,
    sum(n_rows)::bigint as n_rows,
    sum(n_accepted)::bigint as n_accepted,
    sum(n_rejected)::bigint as n_rejected,
    sum(n_late)::bigint as n_late,
    max(received_at) as last_received_at
from {{ ref("stg_files") }}
group by all
order by competition, kind
