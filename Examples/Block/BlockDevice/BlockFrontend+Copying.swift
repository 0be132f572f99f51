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
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: (UInt64, [UInt8]).self) { group in
            var next: UInt64 = 0
            func readNext() {
                guard next < sectorCount else { return }
                let sector = next
                let count = Int(min(UInt64(Self.sectorLimit), sectorCount - sector))
                next += UInt64(count)
                group.addTask { (sector, try await self.read(sector: sector, count: count)) }
            }
            for _ in 0..<32 { readNext() }
            var doneCount = 0
            while let (sector, bytes) = try await group.next() {
                try await body(bytes, sector * UInt64(BlockSector.byteCount))
                doneCount += bytes.count
                if let byteRate {
                    let due = start + .seconds(Double(doneCount) / Double(byteRate))
                    try await Task.sleep(until: due, clock: .continuous)
                }
                readNext()
            }
        }
    }
}
