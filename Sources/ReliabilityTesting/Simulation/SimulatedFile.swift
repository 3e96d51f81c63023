// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One file of a simulated disk: what its readers see, and what is on the medium.
///
/// What is between the two, the pending changes, is kept by the volume, in the order in which it was made.
struct SimulatedFile: Sendable {
    private struct Page: Sendable {
        /// What readers see.
        var cached = PageBytes()
        /// What is on the medium.
        var durable = PageBytes()
        /// Sectors that may have been changed since the last sync.
        var touched: UInt8 = 0
        /// Sectors that a failed sync has left: not on the medium, and no later sync writes them.
        var abandoned: UInt8 = 0
    }

    let inode: Int
    /// As readers see it.
    private(set) var length = 0
    private var durableLength = 0
    private var pages: [Page] = []
    private var hasShrunk = false
    /// How many names the file has.
    var links = 0
    /// How often it is open.
    var openings = 0

    init(inode: Int) { self.inode = inode }

    /// All bytes, as readers see them.
    var contents: [UInt8] {
        var contents: [UInt8] = []
        contents.reserveCapacity(length)
        for page in pages where contents.count < length {
            page.cached.append(min(length - contents.count, PageBytes.length), to: &contents)
        }
        contents.append(contentsOf: repeatElement(0, count: length - contents.count))
        return contents
    }

    /// Feeds what readers see into a hasher.
    func hash(into hasher: inout Hasher) {
        hasher.combine(length)
        for page in pages { page.cached.hash(into: &hasher) }
    }

    /// Writes the first `count` bytes page by page; a page that makes the file longer is a change of its length, too.
    mutating func write(_ bytes: [UInt8], count: Int, at offset: Int, pending: inout [PendingChange]) {
        var done = 0
        while done < count {
            let position = offset + done
            let start = position % PageBytes.length
            let piece = min(count - done, PageBytes.length - start)
            if position + piece > length {
                length = position + piece
                pending.append(PendingChange(inode: inode, .length(length)))
            }
            write(bytes, from: done, count: piece, page: position / PageBytes.length, at: start, pending: &pending)
            done += piece
        }
    }

    private mutating func write(
        _ bytes: [UInt8], from first: Int, count: Int, page index: Int, at start: Int, pending: inout [PendingChange]
    ) {
        while pages.count <= index { pages.append(Page()) }
        pages[index].cached.write(bytes, from: first, count: count, at: start)
        let written = PageBytes.sectors(in: start..<start + count)
        pages[index].abandoned &= ~written
        // A sector that is on the medium as it is cannot be lost.
        let page = pages[index]
        let mask = (written & page.touched) | page.cached.sectors(of: written, differingFrom: page.durable)
        guard mask != 0 else { return }
        pages[index].touched |= mask
        pending.append(PendingChange(inode: inode, .sectors(page: index, mask: mask, image: page.cached)))
    }

    /// Makes the file shorter, or longer by zeros.
    mutating func resize(to newLength: Int, pending: inout [PendingChange]) {
        guard newLength != length else { return }
        if newLength < length {
            for index in min(newLength / PageBytes.length, pages.count)..<pages.count {
                let start = max(newLength - index * PageBytes.length, 0)
                pages[index].cached.zero(from: start)
                pages[index].touched |= PageBytes.sectors(in: start..<PageBytes.length)
            }
            hasShrunk = true
        }
        length = newLength
        pending.append(PendingChange(inode: inode, .length(newLength)))
    }

    /// Puts a length on the medium.
    mutating func land(length newLength: Int) {
        if newLength < durableLength { zeroMedium(from: newLength) }
        durableLength = newLength
    }

    /// Puts sectors of a page on the medium, as they were at a time.
    mutating func land(_ image: PageBytes, page index: Int, sectors: UInt8) {
        pages[index].durable.copy(sectors: sectors, from: image)
        pages[index].abandoned &= ~sectors
    }

    /// A failed sync has taken sectors for written that are not.
    mutating func abandon(page index: Int, sectors: UInt8) { pages[index].abandoned |= sectors }

    /// Puts a page's changed sectors on the medium, for a sync that puts all of them there.
    mutating func sync(_ image: PageBytes, page index: Int, sectors: UInt8) {
        if pages[index].abandoned == 0 {
            pages[index].durable = pages[index].cached
            pages[index].touched = 0
        } else {
            pages[index].durable.copy(sectors: sectors, from: image)
            pages[index].touched &= ~sectors
        }
    }

    /// Readers see what is on the medium where a failed sync has left the two different.
    mutating func evict() {
        for index in pages.indices where pages[index].abandoned != 0 {
            let page = pages[index]
            pages[index].cached.copy(sectors: page.abandoned, from: page.durable)
            pages[index].abandoned = 0
        }
    }

    /// Nothing is pending any more.
    mutating func endSync() {
        guard hasShrunk else { return }
        for index in pages.indices { pages[index].touched = 0 }
        hasShrunk = false
    }

    /// Forgets what is not on the medium.
    mutating func losePower() {
        links = 0
        openings = 0
        zeroMedium(from: durableLength)
        for index in pages.indices where pages[index].touched | pages[index].abandoned != 0 {
            pages[index] = Page(cached: pages[index].durable, durable: pages[index].durable)
        }
        length = durableLength
        hasShrunk = false
    }

    /// Turns one bit over, on the medium too.
    mutating func flip(bit: Int) {
        let index = bit / 8 / PageBytes.length
        while pages.count <= index { pages.append(Page()) }
        pages[index].cached.flip(bit: bit % (8 * PageBytes.length))
        pages[index].durable = pages[index].cached
    }

    private mutating func zeroMedium(from end: Int) {
        for index in min(end / PageBytes.length, pages.count)..<pages.count {
            pages[index].durable.zero(from: end - index * PageBytes.length)
        }
    }
}
