// CloudFront Function, runtime cloudfront-js-2.0, event viewer-request: from a reader's address to the object.
//
// Every spelling of an address becomes one, that of the encoder: "/caf%c3%a9/", "/caf%C3%A9/" and
// "/caf%C3%A9/index.html" are one copy at the edge, under the name that invalidations give. S3 reads
// a bare "+" as a space, so it becomes "%2B". A folder of the bucket is the origin's OriginPath.
// What can be no object becomes MISSING, and the answer is the site's own 404 page.

// No route has a part "index.html".
const MISSING = "/index.html/index.html";
// S3's limit for an object name, in UTF-8 bytes.
const MAX_KEY_BYTES = 1024;

function handler(event) {
  const request = event.request;
  request.uri = objectPath(request.uri);
  return request;
}

function objectPath(uri) {
  // Only a bare "/" at the end is a folder; an encoded one would be the end of a name.
  const named = uri.endsWith("/") ? uri + "index.html" : uri;
  let path = MISSING;
  try {
    path = encoded(decodeURIComponent(named));
  } catch (_notUtf8) {
    return MISSING;
  }
  return isObject(path) ? path : MISSING;
}

function encoded(text) {
  return encodeURIComponent(text)
    .replace(/%2F/g, "/")
    .replace(/[!'()*]/g, (char) => "%" + char.codePointAt(0).toString(16).toUpperCase());
}

// Empty parts, "." and "..", control characters and backslashes are in no route.
function isObject(path) {
  if (/\/\.{0,2}(\/|$)/.test(path) || /%[01]|%7F|%5C/.test(path)) return false;
  return path.slice(1).replace(/%../g, "x").length <= MAX_KEY_BYTES;
}
