// Bytes compressed by zlib.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>

namespace normalign::tests {

/// The bytes as deflate makes them: without a header, or with that of zlib's `window_bits`, 31 for gzip.
inline std::string deflated(const std::string& bytes, int level = 6, int window_bits = -15) {
  z_stream stream{};
  if (::deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2 failed");
  std::string result(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int status = ::deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return result;
}

}  // namespace normalign::tests
