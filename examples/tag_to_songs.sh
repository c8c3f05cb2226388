#!/bin/sh
# Songs for tag $1: the vector of a point of the tags' collection, sought among the songs.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}
namespace=6d656c6f-6e00-5000-8000-706c61796c73
tag=$(python3 -c 'import sys, uuid; print(uuid.uuid5(uuid.UUID(sys.argv[1]), "tag:" + sys.argv[2]))' \
    "$namespace" "$1")

curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/points/query" \
    --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json '{
  "query": "'"$tag"'",
  "using": "w2v",
  "lookup_from": {"collection": "'"${prefix}"'_tags", "vector": "w2v"},
  "limit": 10,
  "with_payload": ["name", "artists"]
}'
