-- Declared boards, and whether their contests have ended.
select board, kind, title, coalesce(cast(contract ->> 'frozen' as boolean), false) as frozen
from {{ source("catalog", "boards") }}
