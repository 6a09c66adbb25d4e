#include "linalg/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "base/huge_pages.hpp"

namespace normalign {
namespace {

// Class 4p + q holds blocks of (4 + q) 2^(p + 4) bytes: 64, 80, 96, 112, 128, 160, ...
int size_class(std::size_t bytes) {
  const std::size_t units = std::max<std::size_t>(bytes / 16 + (bytes % 16 != 0), 4);
  const int power = static_cast<int>(std::bit_width(units)) - 3;
  const std::size_t step = std::size_t{1} << power;
  const int quarter = static_cast<int>((units + step - 1) / step) - 4;
  return 4 * power + quarter;  // a quarter of 4 is the next power's 0
}

std::size_t class_bytes(int size_class) { return static_cast<std::size_t>(4 + size_class % 4) << (size_class / 4 + 4); }

}  // namespace

BufferPool::~BufferPool() {
  for (Header* head : free_) {
    while (head) {
      Header* next = head->next_free;
      const std::size_t bytes = alignment + class_bytes(head->size_class);
      HugePageAllocator<std::byte>().deallocate(reinterpret_cast<std::byte*>(head), bytes);
      head = next;
    }
  }
}

void* BufferPool::acquire(std::size_t bytes) {
  const int index = size_class(bytes);
  if (index >= size_classes) throw std::bad_alloc();
  Header*& head = free_[static_cast<std::size_t>(index)];
  Header* block = head;
  if (block) {
    head = block->next_free;
  } else {
    block = reinterpret_cast<Header*>(HugePageAllocator<std::byte>().allocate(alignment + class_bytes(index)));
    block->size_class = index;
    bytes_held_ += class_bytes(index);
  }
  block->references = 1;
  ++in_use_;
  bytes_in_use_ += class_bytes(index);
  peak_bytes_ = std::max(peak_bytes_, bytes_in_use_);
  return reinterpret_cast<std::byte*>(block) + alignment;
}

void BufferPool::release(void* block) {
  Header& head = header(block);
  if (--head.references > 0) return;
  Header*& first = free_[static_cast<std::size_t>(head.size_class)];
  head.next_free = first;
  first = &head;
  --in_use_;
  bytes_in_use_ -= class_bytes(head.size_class);
}

}  // namespace normalign
