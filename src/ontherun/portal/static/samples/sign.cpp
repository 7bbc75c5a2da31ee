// Sign an iLink 3 login: sign KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [the five values of Establish]
//
// Build: g++ -std=c++17 -O2 -o sign sign.cpp      No library is needed; with OpenSSL, HMAC() does the same.
//
// KEYFILE is a downloaded key file in JSON. Four values sign a Negotiate; nine sign an Establish: TradingSystemName,
// TradingSystemVersion, TradingSystemVendor, NextSeqNo and KeepAliveInterval (ms) come after the four.

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4).
Digest sha256(std::string data) {
    static const std::uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    std::uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    auto turn = [](std::uint32_t x, int n) { return (x >> n) | (x << (32 - n)); };
    const std::uint64_t bits = std::uint64_t(data.size()) * 8;
    data += char(0x80);
    while (data.size() % 64 != 56) data += char(0);
    for (int i = 7; i >= 0; --i) data += char(bits >> (8 * i));
    for (std::size_t at = 0; at < data.size(); at += 64) {
        std::uint32_t w[64];
        for (int i = 0; i < 16; ++i) {
            w[i] = 0;
            for (int j = 0; j < 4; ++j) w[i] = w[i] << 8 | std::uint8_t(data[at + 4 * i + j]);
        }
        for (int i = 16; i < 64; ++i) {
            std::uint32_t a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3);
            std::uint32_t b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + a + w[i - 7] + b;
        }
        std::uint32_t v[8];
        for (int i = 0; i < 8; ++i) v[i] = h[i];
        for (int i = 0; i < 64; ++i) {
            std::uint32_t a = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25);
            std::uint32_t t = v[7] + a + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
            std::uint32_t b = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22);
            std::uint32_t u = b + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            for (int j = 7; j > 0; --j) v[j] = v[j - 1];
            v[4] += t;
            v[0] = t + u;
        }
        for (int i = 0; i < 8; ++i) h[i] += v[i];
    }
    Digest out;
    for (int i = 0; i < 32; ++i) out[i] = std::uint8_t(h[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

// HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes, which the 32 of a secret are.
Digest hmac_sha256(const std::string& key, const std::string& text) {
    std::string inner(64, char(0x36)), outer(64, char(0x5c));
    for (std::size_t i = 0; i < key.size(); ++i) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    Digest first = sha256(inner + text);
    return sha256(outer + std::string(first.begin(), first.end()));
}

std::string base64url_decode(const std::string& text) {
    static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (char c : text) {
        held = held << 6 | std::uint32_t(alphabet.find(c));
        if ((bits += 6) >= 8) out += char(held >> (bits -= 8));
    }
    return out;
}

int main(int argc, char** argv) {
    if (argc != 6 && argc != 11) {
        std::fprintf(stderr, "sign KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [five values of Establish]\n");
        return 1;
    }
    std::ifstream file(argv[1]);
    std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::smatch found;
    if (!std::regex_search(content, found, std::regex("\"secret_key\"\\s*:\\s*\"([A-Za-z0-9_-]{43})=?\""))) {
        std::fprintf(stderr, "%s holds no secret_key\n", argv[1]);
        return 1;
    }
    std::string text = argv[2]; // one line feed between two values, none at the end
    for (int i = 3; i < argc; ++i) text += std::string("\n") + argv[i];
    for (std::uint8_t byte : hmac_sha256(base64url_decode(found[1]), text)) std::printf("%02x", byte); // decoded first
    std::printf("\n");
}
