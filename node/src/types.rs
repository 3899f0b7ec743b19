//! The types of a node's parts, which name what the SDK is generic over.

use keyshare_runtime::{apis::RuntimeApi, opaque};
use sc_consensus::LongestChain;
use sc_executor::WasmExecutor;
use sc_service::{TFullBackend, TFullClient};
use sc_transaction_pool::TransactionPoolHandle;

/// A block as the node sees it.
pub type Block = opaque::Block;
/// What runs the runtime.
pub type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
/// The chain.
pub type Client = TFullClient<Block, RuntimeApi, Executor>;
/// The chain's database.
pub type Backend = TFullBackend<Block>;
/// Which of several chains is built upon.
pub type SelectChain = LongestChain<Backend, Block>;
/// Transactions on their way into the chain.
pub type Pool = TransactionPoolHandle<Block, Client>;
