#!/bin/sh
# Songs for tag $1: its vector is looked up among the tags and sought among the songs.
url=${MELON_QDRANT_URL:-http://localhost:6333} prefix=${MELON_PREFIX:-melon}

# The point id of a tag that is in NFC, and has nothing around it that cannot be seen.
tag=$(python3 -c '
import sys, unicodedata, uuid
namespace = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
print(uuid.uuid5(namespace, "tag:" + unicodedata.normalize("NFC", sys.argv[1]).strip()))' "$1")

curl --silent --show-error --fail-with-body "$url/collections/${prefix}_songs/points/query" \
    --header "api-key: ${MELON_QDRANT_API_KEY:-}" --json '{
  "query": "'"$tag"'",
  "using": "w2v",
  "lookup_from": {"collection": "'"${prefix}"'_tags", "vector": "w2v"},
  "params": {"hnsw_ef": 256},
  "limit": 10,
  "with_payload": ["name", "artists"]
}'
