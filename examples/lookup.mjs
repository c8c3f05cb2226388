// Text search, scroll and facet in JavaScript: npm install @qdrant/js-client-rest
//
// Usage: node lookup.mjs WORD
import {QdrantClient} from '@qdrant/js-client-rest';

const songs = `${process.env.MELON_PREFIX ?? 'melon'}_songs`;
const client = new QdrantClient({
    url: process.env.MELON_QDRANT_URL ?? 'http://localhost:6333',
    apiKey: process.env.MELON_QDRANT_API_KEY,
    checkCompatibility: false,
});

// Songs with a word that begins so in their name; the word is in normal form.
const named = {must: [{key: 'search_words', match: {text: process.argv[2]}}]};

// One page of a scroll, ordered by an indexed number.
const {points} = await client.scroll(songs, {
    filter: named,
    order_by: {key: 'popularity', direction: 'desc'},
    limit: 5,
    with_payload: ['name', 'artists', 'popularity'],
});
for (const {id, payload} of points) {
    console.log(id, payload.name, (payload.artists ?? []).join(', '), payload.popularity);
}

// How many of the songs have each genre. Without `exact`, counts are estimates.
const {hits} = await client.facet(songs, {key: 'genre_names', filter: named, exact: true, limit: 5});
for (const {value, count} of hits) {
    console.log(value, count);
}
