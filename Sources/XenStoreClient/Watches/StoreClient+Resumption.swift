public import XenCore
public import XenStoreWire

/// Tells when this domain was resumed in another life: restored from a file, or migrated.
///
/// Its ports, its mappings and what it had granted are dead then, its number may be another one, and its home in
/// the store was made anew by the toolstack. The connection to the store and its watches live on.
///
/// It tells of a new connection to the store, too: what happened in between is unknown.
public struct ResumptionWatch: Sendable {
    private let watch: StoreWatch

    init(_ watch: StoreWatch) { self.watch = watch }

    /// Suspends until the next resumption, or the next epoch of the client.
    ///
    /// Throws as `StoreWatch.next(until:)`. Taking them is for one task at a time.
    public func next(until deadline: Deadline? = nil) async throws(StoreError) {
        _ = try await watch.next(until: deadline)
    }
}

extension StoreClient {
    /// Tells of resumptions, from now until the returned value is let go of.
    ///
    /// Nobody writes to a domain's node `domid` once it runs; but Linux sets every watch again after a resume, so
    /// that each tells once more (`xs_resume` in drivers/xen/xenbus/xenbus_xs.c). So it takes a connection over
    /// `/dev/xen/xenbus`: dom0, which cannot be saved, may have another. Throws as `watch`.
    public func watchResumption() async throws(StoreError) -> ResumptionWatch {
        let watch = try await watch(StorePath("domid"))
        // The one that every new watch has.
        _ = try await watch.next(until: requestDeadline)
        return ResumptionWatch(watch)
    }
}
