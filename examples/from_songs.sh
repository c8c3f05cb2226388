#!/bin/sh
# Songs like song $1 and unlike song $2, in at least 5 playlists.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}

curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/points/query" \
    --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json '{
  "query": {"recommend": {"positive": ['"$1"'], "negative": ['"$2"'], "strategy": "average_vector"}},
  "using": "w2v",
  "filter": {"must": [{"key": "popularity", "range": {"gte": 5}}]},
  "params": {"hnsw_ef": 256},
  "limit": 10,
  "with_payload": ["name", "artists", "popularity"]
}'
