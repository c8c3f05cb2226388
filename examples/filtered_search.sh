#!/bin/sh
# Songs near song $1 that are of genre $2 and were issued from 2000 to 2009.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}

curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/points/query" \
    --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json '{
  "query": '"$1"',
  "using": "w2v",
  "filter": {"must": [
    {"key": "genre_names", "match": {"value": "'"$2"'"}},
    {"key": "issue_date", "range": {"gte": "2000-01-01T00:00:00Z", "lt": "2010-01-01T00:00:00Z"}}
  ]},
  "params": {"hnsw_ef": 256},
  "limit": 10,
  "with_payload": ["name", "artists", "genre_names", "issue_date"]
}'
