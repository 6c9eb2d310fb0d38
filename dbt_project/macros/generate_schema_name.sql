{# Schemas are named as declared, without the target's name in front: readers write marts.leaderboard_current. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name is not none else target.schema }}
{%- endmacro %}
