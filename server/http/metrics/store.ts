/** Whether it is well, and what lies on the disk. */
import { FAULTS } from '../health.ts'
import { gauge, histogram, type Metric } from './metric.ts'

export const store: readonly Metric[] = [
  gauge(
    'carillon_ready',
    [],
    ['1 while new pushes are accepted, as GET /ready says', '可受理新推送时为 1，与 GET /ready 一致'],
    ({ faults }) => Number(faults.length === 0),
  ),
  gauge(
    'carillon_fault',
    ['fault'],
    ['1 for each fault that GET /ready names', 'GET /ready 中列出的故障为 1'],
    ({ faults }) => FAULTS.map((fault) => [[fault], Number(faults.includes(fault))]),
  ),
  gauge(
    'carillon_store_writable',
    [],
    ['1 while the store takes new messages', '存储可写入新消息时为 1'],
    ({ health }) => Number(health.writable),
  ),
  gauge(
    'carillon_store_durable',
    [],
    ['1 if what is accepted survives a power cut', '受理的消息断电不丢失时为 1'],
    ({ health }) => Number(health.durable),
  ),
  gauge(
    'carillon_store_queued_writes',
    [],
    ['Writes that are not on the disk yet', '尚未落盘的写入数'],
    ({ health }) => health.queued,
  ),
  histogram(
    'carillon_journal_sync_seconds',
    [],
    ['Time that each flush of the journal took (fdatasync)', '日志每次落盘（fdatasync）的时间'],
    ({ figures }) => figures.disk?.flushes ?? null,
  ),
  histogram(
    'carillon_journal_batch_writes',
    [],
    ['How many writes shared each flush', '每次落盘合并的写入数'],
    ({ figures }) => figures.disk?.batches ?? null,
  ),
  gauge(
    'carillon_journal_bytes',
    [],
    ['Size of the journal since the last checkpoint', '上次检查点以来的日志大小'],
    ({ figures }) => figures.disk?.journal ?? null,
  ),
  gauge(
    'carillon_kept_messages',
    [],
    ['Messages that are kept', '保存的消息数'],
    ({ figures }) => figures.disk?.kept.count ?? null,
  ),
  gauge(
    'carillon_kept_bytes',
    [],
    ['Size of them, about', '保存的消息大小（近似值）'],
    ({ figures }) => figures.disk?.kept.bytes ?? null,
  ),
  gauge(
    'carillon_disk_free_bytes',
    [],
    ['Free space of the disk with the data folder', '数据目录所在磁盘的可用空间'],
    ({ figures }) => figures.disk?.space?.free ?? null,
  ),
  gauge(
    'carillon_disk_size_bytes',
    [],
    ['Size of that disk', '该磁盘的总大小'],
    ({ figures }) => figures.disk?.space?.size ?? null,
  ),
]
