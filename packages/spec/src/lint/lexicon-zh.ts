import type { Lexicon } from "../facts/find-words.ts";

/** Chinese words as regular expressions; they are matched anywhere, since there are no spaces between words. */
export const chineseLexicon: Lexicon = {
  undecided: [
    { words: "待定|待确认|待补充|未定|尚未确定|以后再说|视情况而定|看情况" },
    { words: "假设", unless: { after: "检验|性|条件" } },
    { words: "大概|可能需要|也许|应该可以|我认为|我觉得|估计是" },
    { words: "同上|如上所述|参考上文|与上面(?:相同|一样)|和\\s*S\\d+\\s*(?:类似|一样)|类似\\s*S\\d+" },
    { words: "等等", unless: { after: "待" } },
    { words: "占位符", negatable: true },
  ],
  person: [
    {
      words:
        "目测|肉眼|用户确认|由?(?:负责人|客户|产品经理|设计师|业务方)(?:确认|验收|审批)|(?:用|在)浏览器(?:中|里|上)?(?:打开|查看|确认)|打开浏览器|看起来(?:正常|正确|不错)",
    },
  ],
  personUnlessCommand: [{ words: "人工", unless: { after: "智能|神经|标注" } }, { words: "手动|手工" }],
  vague: [
    { words: "合理", unless: { before: "不|非", after: "化|性检查" } },
    { words: "适当|恰当|妥善|酌情" },
    { words: "正常", unless: { before: "不|非|反|异", after: "化|路径|情况|输入|值|数据|请求|流程|分布|退出|返回码|用户|状态码|模式" } },
    { words: "友好", unless: { after: "名称|链接" } },
    { words: "尽量|尽可能|尽快" },
    { words: "优化", unless: { after: "器|级别|选项" } },
    { words: "完善", unless: { before: "不" } },
    { words: "高性能|高可用|健壮|鲁棒|流畅|美观|易用|快速", unless: { after: "失败|排序|路径|开始" } },
  ],
  severalGoals: [{ words: "并且另外|另外还|此外还|同时还要|并且还要|除此之外|顺便|顺带|另外[,，]" }],
  failure: [
    { words: "拒绝|失败|错误|无效|非法|不合法|报错|抛出|异常|崩溃|损坏|警告", negatable: true },
    { words: "缺少|缺失|不存在|未知|为空|空(?:列表|值|字符串|文件|输入|数组|集合|目录)|没有|找不到|未找到|不可达|不可用" },
    { words: "超过|超出|超限|超长|越界|上限|边界|极限|过大|过长|过多|过短|负数|零" },
    { words: "未授权|未登录|未认证|无权限?|权限不足|缺少权限|过期|过去|撤销|取消|中断|断开|超时|宕机|离线" },
    { words: "重复|冲突|重试|回滚|再次|两次" },
    { words: "不(?:会|能|可|再|允许|应|得|受|匹配|支持|一致)|禁止|忽略|跳过|丢弃|不留下|一[本条个]都(?:不|读不)|整批不动" },
  ],
};

/** What turns a word around when it stands right before it. */
export const chineseNegation = /(?:无|没有|不留|不含|不出现|未出现|零|不得有|不允许|禁止|不写|不使用)[^，。；,;.]{0,8}$/;
