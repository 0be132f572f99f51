/// The page size of Xen's interfaces (`XEN_PAGE_SIZE`): grants, rings and segments are counted in it.
public enum Page {
    /// Bytes in a page.
    public static let byteCount = 4096
}
