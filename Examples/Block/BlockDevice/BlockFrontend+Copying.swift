import XenCore

extension BlockFrontend {
    /// Reads the whole device, many requests at a time, and hands each piece on as it comes, in any order.
    ///
    /// Throws what reading or `body` throws, and stops then.
    ///
    /// - Parameters:
    ///   - byteRate: the most bytes a second; nil for as fast as it goes.
    ///   - body: gets a piece and its place in bytes. One call at a time.
    public func readAll(
        byteRate: Int? = nil, _ body: ([UInt8], UInt64) async throws -> Void
    ) async throws {
        let sectorCount = try await geometry().sectorCount
        try await inPieces(of: sectorCount, byteRate: byteRate) { sector, count in
            try await self.read(sector: sector, count: count)
        } done: { bytes, sector in
            try await body(bytes, sector * UInt64(BlockSector.byteCount))
        }
    }

    /// Writes the device from its first sector on, many requests at a time, and makes it durable.
    ///
    /// Throws `.failed` if the device has fewer sectors, and what writing or `source` throws.
    ///
    /// - Parameters:
    ///   - byteRate: the most bytes a second; nil for as fast as it goes.
    ///   - source: gives the bytes at a place in bytes; many calls at a time.
    public func writeAll(
        sectorCount: UInt64, byteRate: Int? = nil,
        _ source: @escaping @Sendable (_ byteOffset: UInt64, _ count: Int) async throws -> [UInt8]
    ) async throws {
        let room = try await geometry().sectorCount
        guard sectorCount <= room else {
            throw BlockError(
                code: .failed, message: "\(sectorCount) sectors do not fit a device of \(room)")
        }
        try await inPieces(of: sectorCount, byteRate: byteRate) { sector, count in
            let bytes = try await source(
                sector * UInt64(BlockSector.byteCount), count * BlockSector.byteCount)
            try await self.write(sector: sector, bytes)
            return bytes
        } done: { _, _ in
        }
        try await flush()
    }

    /// Calls `move` for pieces of the largest size, up to 32 at a time, and `done` as each ends.
    private func inPieces(
        of sectorCount: UInt64, byteRate: Int?,
        _ move: @escaping @Sendable (UInt64, Int) async throws -> [UInt8],
        done: ([UInt8], UInt64) async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: (UInt64, [UInt8]).self) { group in
            var next: UInt64 = 0
            func moveNext() {
                guard next < sectorCount else { return }
                let sector = next
                let count = Int(min(UInt64(Self.sectorLimit), sectorCount - sector))
                next += UInt64(count)
                group.addTask { (sector, try await move(sector, count)) }
            }
            for _ in 0..<32 { moveNext() }
            var doneCount = 0
            while let (sector, bytes) = try await group.next() {
                try await done(bytes, sector)
                doneCount += bytes.count
                if let byteRate {
                    let due = start + .seconds(Double(doneCount) / Double(byteRate))
                    try await Task.sleep(until: due, clock: .continuous)
                }
                moveNext()
            }
        }
    }
}
