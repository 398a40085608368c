//! Drives the futures of a signer to their end, from whatever thread.

/// Waits for a future.
#[cfg(not(feature = "aws-kms"))]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// Waits for a future, which may need the runtime that the AWS SDK is made for.
#[cfg(feature = "aws-kms")]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    use std::sync::LazyLock;
    use tokio::runtime::Runtime;
    static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
    });
    match &*RUNTIME {
        Ok(runtime) => runtime.block_on(future),
        // No threads are to be had: what needs no runtime still works.
        Err(_) => pollster::block_on(future),
    }
}

/// Waits for a future that needs the network.
#[cfg(feature = "fetch")]
pub(crate) fn block_on_network<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let output = runtime.block_on(future);
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    Ok(output)
}
