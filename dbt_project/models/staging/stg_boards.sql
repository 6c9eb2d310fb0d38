-- Declared boards, and whether their contests have ended.
select board, kind, title, cast(contract ->> 'frozen' as boolean) as frozen
from {{ source("catalog", "boards") }}
